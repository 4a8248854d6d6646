//! The TLS settings of one connection: the extent of the verification, and the files for it.

use super::ssl_context::{self, SettingValue, SslSetting};
use super::{CertificateBody, CertificateName, Invalid, SslContextIndex};
use crate::at::{ClientIndex, Command};

/// The sides that prove their identity: `"authmode"` of `AT+CSSLCFG`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verify {
    None,
    Server,
    Mutual,
}

impl Verify {
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        match text {
            "none" => Ok(Self::None),
            "server" => Ok(Self::Server),
            "mutual" => Ok(Self::Mutual),
            _ => Err(Invalid::text("verify", text, "\"server\", \"mutual\" or \"none\"")),
        }
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Server => "server",
            Self::Mutual => "mutual",
        }
    }

    fn auth_mode(self) -> i64 {
        self as i64
    }
}

/// A file that TLS reads on the module. It is there already, or is uploaded under a name made from its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateFile {
    argument: &'static str,
    name: CertificateName,
    body: Option<CertificateBody>,
}

impl CertificateFile {
    pub fn on_module(argument: &'static str, name: &str) -> Result<Self, Invalid> {
        if name.contains(['/', '\\']) {
            let expected = "the name of a file on the module; for a file on this host pass a Path";
            return Err(Invalid::text(argument, name, expected));
        }
        Ok(Self { argument, name: CertificateName::parse_argument(argument, name)?, body: None })
    }

    pub fn to_upload(argument: &'static str, name: CertificateName, body: CertificateBody) -> Self {
        Self { argument, name, body: Some(body) }
    }

    pub fn name(&self) -> &CertificateName {
        &self.name
    }

    pub fn body(&self) -> Option<&CertificateBody> {
        self.body.as_ref()
    }

    /// The upload onto a module with these files; `None` if the file is there.
    ///
    /// # Errors
    ///
    /// [`Invalid`] if the file is not there and its content is unknown.
    pub fn upload(&self, stored: &[String]) -> Result<Option<Command>, Invalid> {
        if stored.iter().any(|name| name == self.name.as_str()) {
            return Ok(None);
        }
        let Some(body) = &self.body else {
            let stored = if stored.is_empty() { "none".to_owned() } else { stored.join(", ") };
            let expected =
                format!("the name of a file on the module ({stored}); for a file on this host pass a Path");
            return Err(Invalid::text(self.argument, self.name.as_str(), expected));
        };
        Ok(Some(ssl_context::upload(&self.name, body)))
    }
}

/// The arguments of a caller, of which [`TlsSettings`] are made if they are legal.
#[derive(Debug)]
pub struct TlsOptions<'a> {
    pub verify: &'a str,
    pub ca: Option<CertificateFile>,
    pub cert: Option<CertificateFile>,
    pub key: Option<CertificateFile>,
    pub context: Option<i64>,
    pub sslversion: i64,
    pub sni: bool,
    pub ignore_local_time: bool,
    /// Any further settings of the context.
    pub settings: Vec<(String, SettingValue)>,
}

impl Default for TlsOptions<'_> {
    fn default() -> Self {
        Self {
            verify: "server",
            ca: None,
            cert: None,
            key: None,
            context: None,
            sslversion: 4,
            sni: true,
            ignore_local_time: true,
            settings: Vec::new(),
        }
    }
}

/// The certificates and the SSL context of one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlsSettings {
    verify: Verify,
    ca: Option<CertificateFile>,
    cert: Option<CertificateFile>,
    key: Option<CertificateFile>,
    context: Option<SslContextIndex>,
    settings: Vec<SslSetting>,
}

impl TlsSettings {
    pub fn parse(options: TlsOptions<'_>) -> Result<Self, Invalid> {
        let verify = Verify::parse(options.verify)?;
        let context = options.context.map(SslContextIndex::parse).transpose()?;
        let number = |name, number| SslSetting::parse(name, &SettingValue::Number(number));
        let mut settings = vec![
            number("sslversion", options.sslversion)?,
            number("authmode", verify.auth_mode())?,
            number("ignorelocaltime", i64::from(options.ignore_local_time))?,
        ];
        // Without SNI nothing is sent: some firmware does not know the setting.
        if options.sni {
            settings.push(number("enableSNI", 1)?);
        }
        for (name, value) in &options.settings {
            settings.push(SslSetting::further(name, value)?);
        }
        let TlsOptions { ca, cert, key, .. } = options;
        check_files(verify, ca.is_some(), cert.is_some(), key.is_some())?;
        for (setting, file) in [("cacert", &ca), ("clientcert", &cert), ("clientkey", &key)] {
            if let Some(file) = file {
                let name = SettingValue::Text(file.name.as_str().to_owned());
                settings.push(SslSetting::parse(setting, &name)?);
            }
        }
        Ok(Self { verify, ca, cert, key, context, settings })
    }

    pub fn verify(&self) -> Verify {
        self.verify
    }

    /// Those of `ca`, `cert` and `key` that the caller gave.
    pub fn files(&self) -> impl Iterator<Item = &CertificateFile> {
        [&self.ca, &self.cert, &self.key].into_iter().flatten()
    }

    /// The context that the caller chose, else the one with the number of the client, as the module chooses.
    pub fn context(&self, client: ClientIndex) -> SslContextIndex {
        self.context.unwrap_or_else(|| SslContextIndex::numbered_as(client))
    }

    /// `AT+CSSLCFG` for each setting of the client's context.
    pub fn configure(&self, client: ClientIndex) -> Vec<Command> {
        let context = self.context(client);
        self.settings.iter().map(|setting| ssl_context::configure(context, setting)).collect()
    }
}

fn check_files(verify: Verify, ca: bool, cert: bool, key: bool) -> Result<(), Invalid> {
    if verify != Verify::None && !ca {
        let expected = "given, to verify the server by; or pass verify=\"none\"";
        return Err(Invalid::value("ca", "None", expected));
    }
    if verify != Verify::Mutual && (cert || key) {
        return Err(Invalid::text("verify", verify.name(), "\"mutual\" where cert and key are given"));
    }
    for (argument, given) in [("cert", cert), ("key", key)] {
        if verify == Verify::Mutual && !given {
            return Err(Invalid::value(argument, "None", "given with verify=\"mutual\", as cert and key"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(argument: &'static str, name: &str) -> CertificateFile {
        let body = CertificateBody::parse_argument(argument, "-----BEGIN").unwrap();
        CertificateFile::to_upload(argument, CertificateName::parse(name).unwrap(), body)
    }

    fn refused(options: TlsOptions<'_>) -> String {
        TlsSettings::parse(options).unwrap_err().to_string()
    }

    fn lines(settings: &TlsSettings, client: ClientIndex) -> Vec<String> {
        settings.configure(client).iter().map(|command| command.line.shown()).collect()
    }

    #[test]
    fn settings_of_a_verified_server() {
        let ca = CertificateFile::on_module("ca", "server_ca.pem").unwrap();
        let settings = TlsSettings::parse(TlsOptions { ca: Some(ca), ..TlsOptions::default() }).unwrap();
        assert_eq!(
            lines(&settings, ClientIndex::One),
            [
                "AT+CSSLCFG=\"sslversion\",1,4",
                "AT+CSSLCFG=\"authmode\",1,1",
                "AT+CSSLCFG=\"ignorelocaltime\",1,1",
                "AT+CSSLCFG=\"enableSNI\",1,1",
                "AT+CSSLCFG=\"cacert\",1,\"server_ca.pem\"",
            ]
        );
    }

    #[test]
    fn settings_of_mutual_verification_in_a_chosen_context() {
        let settings = TlsSettings::parse(TlsOptions {
            verify: "mutual",
            ca: Some(file("ca", "ca_cert.pem")),
            cert: Some(file("cert", "cert.pem")),
            key: Some(file("key", "key_cert.pem")),
            context: Some(9),
            sslversion: 3,
            sni: false,
            ignore_local_time: false,
            settings: vec![("alpn".to_owned(), SettingValue::Text("mqtt".to_owned()))],
        })
        .unwrap();
        assert_eq!(
            lines(&settings, ClientIndex::Zero),
            [
                "AT+CSSLCFG=\"sslversion\",9,3",
                "AT+CSSLCFG=\"authmode\",9,2",
                "AT+CSSLCFG=\"ignorelocaltime\",9,0",
                "AT+CSSLCFG=\"alpn\",9,\"mqtt\"",
                "AT+CSSLCFG=\"cacert\",9,\"ca_cert.pem\"",
                "AT+CSSLCFG=\"clientcert\",9,\"cert.pem\"",
                "AT+CSSLCFG=\"clientkey\",9,\"key_cert.pem\"",
            ]
        );
        assert_eq!(settings.files().count(), 3);
    }

    #[test]
    fn server_is_verified_unless_told_otherwise() {
        let settings = TlsSettings::parse(TlsOptions { verify: "none", ..TlsOptions::default() }).unwrap();
        assert_eq!(lines(&settings, ClientIndex::Zero)[1], "AT+CSSLCFG=\"authmode\",0,0");
        let message = refused(TlsOptions::default());
        assert!(message.starts_with("ca = None: must be given, to verify the server by"), "{message}");
    }

    #[test]
    fn contradicting_options_are_refused() {
        let default = TlsOptions::default;
        let ca = || Some(file("ca", "ca.pem"));
        assert!(refused(TlsOptions { verify: "maybe", ..default() }).starts_with("verify = \"maybe\""));
        assert!(refused(TlsOptions { context: Some(10), ..default() }).starts_with("context = 10"));
        assert!(refused(TlsOptions { sslversion: 5, ..default() }).starts_with("sslversion = 5"));
        let cert = || Some(file("cert", "cert.pem"));
        assert!(
            refused(TlsOptions { ca: ca(), cert: cert(), ..default() })
                .starts_with("verify = \"server\": must be \"mutual\" where cert and key are given")
        );
        let mutual = || TlsOptions { verify: "mutual", ca: ca(), ..default() };
        assert!(refused(mutual()).starts_with("cert = None"));
        assert!(refused(TlsOptions { cert: cert(), ..mutual() }).starts_with("key = None"));
    }

    #[test]
    fn stored_file_is_not_uploaded_again() {
        let file = file("ca", "ca.pem");
        let upload = file.upload(&[]).unwrap().unwrap();
        assert_eq!(upload.line.bytes(), b"AT+CCERTDOWN=\"ca.pem\",10");
        assert!(file.upload(&["ca.pem".to_owned()]).unwrap().is_none());
    }

    #[test]
    fn file_without_content_must_be_on_the_module() {
        let file = CertificateFile::on_module("ca", "ca.pem").unwrap();
        assert!(file.upload(&["ca.pem".to_owned()]).unwrap().is_none());
        let message = file.upload(&["a.pem".to_owned(), "b.pem".to_owned()]).unwrap_err().to_string();
        assert_eq!(
            message,
            "ca = \"ca.pem\": must be the name of a file on the module (a.pem, b.pem); \
             for a file on this host pass a Path"
        );
        let message = CertificateFile::on_module("ca", "/etc/ssl/ca.pem").unwrap_err().to_string();
        assert!(message.ends_with("for a file on this host pass a Path"), "{message}");
    }
}
