//! Certificates and the SSL contexts that use them: `AT+CCERTDOWN`, `AT+CCERTLIST`, `AT+CCERTDELE`, `AT+CSSLCFG`.

use super::legal_values::quotable;
use super::query::{Lines, Query, UnexpectedAnswer, command, each, lossy, text};
use super::{Invalid, SslContextIndex};
use crate::at::Command;
use crate::at::parameters::{Parameters, Value};

/// The name of a certificate or key on the module: 5 to 55 characters, ending in `.pem` or `.der`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CertificateName(String);

impl CertificateName {
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        Self::parse_argument("name", text)
    }

    /// As `parse`, for an argument with another name: `ca`, `cacert`, …
    pub fn parse_argument(argument: &'static str, text: &str) -> Result<Self, Invalid> {
        quotable(argument, text)?;
        let ends_well = [".pem", ".der"].iter().any(|ending| text.ends_with(ending));
        if !ends_well || !(5..=55).contains(&text.len()) || !text.is_ascii() {
            let expected = "a file name of 5 to 55 ASCII characters that ends in .pem or .der";
            return Err(Invalid::text(argument, text, expected));
        }
        Ok(Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The content of a certificate or key file: 1 to 10240 bytes. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct CertificateBody(Vec<u8>);

impl CertificateBody {
    pub const LONGEST: usize = 10_240;

    pub fn parse(bytes: impl Into<Vec<u8>>) -> Result<Self, Invalid> {
        Self::parse_argument("pem", bytes)
    }

    /// As `parse`, for an argument with another name: `ca`, `cert`, `key`.
    pub fn parse_argument(argument: &'static str, bytes: impl Into<Vec<u8>>) -> Result<Self, Invalid> {
        let bytes = bytes.into();
        if bytes.is_empty() || bytes.len() > Self::LONGEST {
            return Err(Invalid::length(argument, bytes.len(), format!("1 to {} bytes", Self::LONGEST)));
        }
        Ok(Self(bytes))
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for CertificateBody {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "CertificateBody({} bytes)", self.0.len())
    }
}

/// The most bytes of a file that the module takes at once.
pub(super) const LONGEST_PACKET: usize = 3072;

/// `AT+CCERTDOWN="<name>",<len>` and the file, in packets of at most 3072 bytes.
pub fn upload(name: &CertificateName, body: &CertificateBody) -> Command {
    let (name, bytes) = (name.as_str(), body.bytes());
    command(format!("AT+CCERTDOWN=\"{name}\",{}", bytes.len())).with_secret_data(bytes, LONGEST_PACKET)
}

/// `AT+CCERTDELE="<name>"`
pub fn delete(name: &CertificateName) -> Command {
    command(format!("AT+CCERTDELE=\"{}\"", name.as_str()))
}

/// `AT+CCERTLIST`: the names of the stored files, in the order of the module.
pub struct StoredFiles;

impl Query for StoredFiles {
    type Answer = Vec<String>;

    fn command(&self) -> Command {
        command("AT+CCERTLIST")
    }

    /// Reads `+CCERTLIST: "ls.pem"`; an empty store has no line.
    fn answer(&self, lines: &Lines) -> Result<Vec<String>, UnexpectedAnswer> {
        Ok(each(lines, "CCERTLIST", |values| text(values, 0)).collect())
    }
}

/// The values that a setting of `AT+CSSLCFG` takes.
enum Kind {
    Number { least: i64, most: i64 },
    CipherSuites,
    FileName,
}

/// In the order of `+CSSLCFG: <ctx>,…`.
static SETTINGS: [(&str, Kind); 12] = [
    ("sslversion", Kind::Number { least: 0, most: 4 }),
    ("authmode", Kind::Number { least: 0, most: 3 }),
    ("ignorelocaltime", Kind::Number { least: 0, most: 1 }),
    ("negotiatetime", Kind::Number { least: 10, most: 300 }),
    ("cacert", Kind::FileName),
    ("clientcert", Kind::FileName),
    ("clientkey", Kind::FileName),
    ("password", Kind::FileName),
    ("enableSNI", Kind::Number { least: 0, most: 1 }),
    ("ignorecertCN", Kind::Number { least: 0, most: 1 }),
    ("use_tickets", Kind::Number { least: 0, most: 1 }),
    ("ciphersuites", Kind::CipherSuites),
];

/// A number or a text, as a caller gives it or the module reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SettingValue {
    Number(i64),
    Text(String),
}

impl std::fmt::Display for SettingValue {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => write!(formatter, "{number}"),
            Self::Text(text) => write!(formatter, "{text:?}"),
        }
    }
}

/// One legal setting, with its value as it stands on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SslSetting {
    name: String,
    value: String,
}

impl SslSetting {
    pub fn parse(name: &str, value: &SettingValue) -> Result<Self, Invalid> {
        let Some((name, kind)) = SETTINGS.iter().find(|(known, _)| *known == name) else {
            let known = SETTINGS.each_ref().map(|(name, _)| *name).join(", ");
            return Err(Invalid::text(
                "setting",
                name,
                format!("one of {known}; set any other with command('AT+CSSLCFG=…')"),
            ));
        };
        let value = match (kind, value) {
            (Kind::Number { least, most }, SettingValue::Number(number))
                if (least..=most).contains(&number) =>
            {
                number.to_string()
            }
            (Kind::Number { least, most }, _) => {
                return Err(Invalid::value(name, value, format!("{least} to {most}")));
            }
            (Kind::CipherSuites, SettingValue::Number(number @ 0..=0xFFFF)) => format!("0x{number:04X}"),
            (Kind::CipherSuites, _) => return Err(Invalid::value(name, value, "0x0000 to 0xFFFF")),
            (Kind::FileName, SettingValue::Text(text)) => {
                format!("\"{}\"", CertificateName::parse_argument(name, text)?.as_str())
            }
            (Kind::FileName, SettingValue::Number(_)) => {
                return Err(Invalid::value(name, value, "the name of a file on the module"));
            }
        };
        Ok(Self { name: (*name).to_owned(), value })
    }

    /// A setting of `Tls(settings=…)`, which may be one that only other firmware has.
    ///
    /// # Errors
    ///
    /// [`Invalid`] for a setting that an argument of `Tls` sets, a value that a known setting does not take, or a name or
    /// text that the command line cannot carry.
    pub fn further(name: &str, value: &SettingValue) -> Result<Self, Invalid> {
        if let Some((_, argument)) = SET_BY_ARGUMENTS.iter().find(|(known, _)| *known == name) {
            let expected = format!("a setting that no argument sets: use {argument}");
            return Err(Invalid::text("settings", name, expected));
        }
        if SETTINGS.iter().any(|(known, _)| *known == name) {
            return Self::parse(name, value);
        }
        if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Err(Invalid::text("settings", name, "a name of ASCII letters, digits and underscores"));
        }
        let value = match value {
            SettingValue::Number(number) => number.to_string(),
            SettingValue::Text(text) => format!("\"{}\"", quotable("settings", text)?),
        };
        Ok(Self { name: name.to_owned(), value })
    }
}

/// The settings that arguments of `Tls` set, and these arguments.
const SET_BY_ARGUMENTS: [(&str, &str); 7] = [
    ("sslversion", "sslversion"),
    ("authmode", "verify"),
    ("ignorelocaltime", "ignore_local_time"),
    ("enableSNI", "sni"),
    ("cacert", "ca"),
    ("clientcert", "cert"),
    ("clientkey", "key"),
];

/// `AT+CSSLCFG="<setting>",<ssl_ctx_index>,<value>`
pub fn configure(context: SslContextIndex, setting: &SslSetting) -> Command {
    let SslSetting { name, value } = setting;
    command(format!("AT+CSSLCFG=\"{name}\",{},{value}", context.number()))
}

/// `AT+CSSLCFG=<ssl_ctx_index>`: the settings of a context by name, in the order of the module. Older firmware has fewer.
pub struct ContextSettings(pub SslContextIndex);

impl Query for ContextSettings {
    type Answer = Vec<(&'static str, SettingValue)>;

    fn command(&self) -> Command {
        command(format!("AT+CSSLCFG={}", self.0.number()))
    }

    fn answer(&self, lines: &Lines) -> Result<Self::Answer, UnexpectedAnswer> {
        let read = |values: Parameters<'_>| {
            let is_asked = values.get(0)?.number() == Some(self.0.number());
            is_asked.then(|| SETTINGS.iter().zip(values.values().skip(1)).map(value).collect())
        };
        let settings = each(lines, "CSSLCFG", read).find(|settings: &Self::Answer| !settings.is_empty());
        settings.ok_or_else(|| {
            UnexpectedAnswer::new(self, "+CSSLCFG: <ssl_ctx_index>,<sslversion>,<authmode>,…", lines)
        })
    }
}

fn value(((name, kind), found): (&(&'static str, Kind), Value<'_>)) -> (&'static str, SettingValue) {
    let number = match kind {
        Kind::Number { .. } => found.number(),
        Kind::CipherSuites => found.hexadecimal().map(i64::from),
        Kind::FileName => None,
    };
    (*name, number.map_or_else(|| SettingValue::Text(lossy(found.bytes())), SettingValue::Number))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::query::tests::lines;
    use super::*;

    #[test]
    fn names_are_5_to_55_characters_and_end_in_pem_or_der() {
        assert_eq!(CertificateName::parse("a.pem").unwrap().as_str(), "a.pem");
        assert!(CertificateName::parse(&format!("{}.der", "x".repeat(51))).is_ok());
        let too_long = format!("{}.der", "x".repeat(52));
        for wrong in ["", ".pem", "ca.crt", "ca", "é.pem", too_long.as_str()] {
            let message = CertificateName::parse(wrong).unwrap_err().to_string();
            assert_eq!(
                message,
                format!(
                    "name = {wrong:?}: must be a file name of 5 to 55 ASCII characters that ends in .pem or .der"
                )
            );
        }
        assert!(CertificateName::parse("a\".pem").unwrap_err().to_string().starts_with("name with a quote"));
        assert!(CertificateName::parse_argument("ca", "x").unwrap_err().to_string().starts_with("ca = "));
    }

    #[test]
    fn bodies_are_1_to_10240_bytes_and_not_shown() {
        assert!(CertificateBody::parse(vec![0; 10_240]).is_ok());
        for length in [0, 10_241] {
            assert_eq!(
                CertificateBody::parse(vec![0; length]).unwrap_err().to_string(),
                format!("pem of {length} bytes: must be 1 to 10240 bytes")
            );
        }
        let body = CertificateBody::parse("-----BEGIN PRIVATE KEY-----").unwrap();
        assert_eq!(format!("{body:?}"), "CertificateBody(27 bytes)");
    }

    #[test]
    fn upload_is_secret_and_goes_in_packets() {
        let name = CertificateName::parse("ca.pem").unwrap();
        let command = upload(&name, &CertificateBody::parse(vec![b'x'; 4000]).unwrap());
        assert_eq!(command.line.bytes(), b"AT+CCERTDOWN=\"ca.pem\",4000");
        assert_eq!(command.limit, Some(Duration::from_secs(120)));
        let data = command.data.unwrap();
        assert_eq!((data.bytes.len(), data.piece, data.secret), (4000, 3072, true));
    }

    #[test]
    fn files_are_deleted_and_listed() {
        let name = CertificateName::parse("ca.pem").unwrap();
        assert_eq!(delete(&name).line.bytes(), b"AT+CCERTDELE=\"ca.pem\"");
        assert_eq!(StoredFiles.command().line.bytes(), b"AT+CCERTLIST");
        let found = StoredFiles
            .answer(&lines("+CCERTLIST: \"ls.pem\"\n+CCERTLIST:\"b.der\"\n+CCERTLIST: \"\"\nRDY"))
            .unwrap();
        assert_eq!(found, ["ls.pem", "b.der"]);
        assert_eq!(StoredFiles.answer(&[]), Ok(Vec::new()));
    }

    fn context(number: i64) -> SslContextIndex {
        SslContextIndex::parse(number).unwrap()
    }

    fn number(name: &str, number: i64) -> Result<String, Invalid> {
        built(name, &SettingValue::Number(number))
    }

    fn text(name: &str, text: &str) -> Result<String, Invalid> {
        built(name, &SettingValue::Text(text.to_owned()))
    }

    fn built(name: &str, value: &SettingValue) -> Result<String, Invalid> {
        let setting = SslSetting::parse(name, value)?;
        Ok(String::from_utf8(configure(context(0), &setting).line.bytes().to_vec()).unwrap())
    }

    #[test]
    fn bytes_as_in_the_note() {
        assert_eq!(number("sslversion", 4).unwrap(), "AT+CSSLCFG=\"sslversion\",0,4");
        assert_eq!(number("authmode", 2).unwrap(), "AT+CSSLCFG=\"authmode\",0,2");
        assert_eq!(text("cacert", "server_ca.pem").unwrap(), "AT+CSSLCFG=\"cacert\",0,\"server_ca.pem\"");
        assert_eq!(text("clientcert", "cert.pem").unwrap(), "AT+CSSLCFG=\"clientcert\",0,\"cert.pem\"");
        assert_eq!(text("clientkey", "key_cert.pem").unwrap(), "AT+CSSLCFG=\"clientkey\",0,\"key_cert.pem\"");
        assert_eq!(text("password", "pw.pem").unwrap(), "AT+CSSLCFG=\"password\",0,\"pw.pem\"");
        assert_eq!(number("ciphersuites", 0xC0).unwrap(), "AT+CSSLCFG=\"ciphersuites\",0,0x00C0");
        assert_eq!(ContextSettings(context(9)).command().line.bytes(), b"AT+CSSLCFG=9");
    }

    #[test]
    fn numbers_hold_at_both_edges() {
        for (name, least, most) in [
            ("sslversion", 0, 4),
            ("authmode", 0, 3),
            ("ignorelocaltime", 0, 1),
            ("negotiatetime", 10, 300),
            ("enableSNI", 0, 1),
            ("ignorecertCN", 0, 1),
            ("use_tickets", 0, 1),
        ] {
            for legal in [least, most] {
                assert_eq!(number(name, legal).unwrap(), format!("AT+CSSLCFG=\"{name}\",0,{legal}"));
            }
            for wrong in [least - 1, most + 1] {
                let expected = format!("{name} = {wrong}: must be {least} to {most}");
                assert_eq!(number(name, wrong).unwrap_err().to_string(), expected);
            }
        }
        assert!(number("ciphersuites", 0).is_ok());
        assert!(number("ciphersuites", 0xFFFF).is_ok());
        assert_eq!(
            number("ciphersuites", 0x1_0000).unwrap_err().to_string(),
            "ciphersuites = 65536: must be 0x0000 to 0xFFFF"
        );
        assert!(number("ciphersuites", -1).is_err());
    }

    #[test]
    fn each_setting_takes_its_own_kind() {
        assert_eq!(text("authmode", "1").unwrap_err().to_string(), "authmode = \"1\": must be 0 to 3");
        assert!(text("ciphersuites", "0xFFFF").is_err());
        assert_eq!(
            number("cacert", 1).unwrap_err().to_string(),
            "cacert = 1: must be the name of a file on the module"
        );
        assert!(
            text("cacert", "ca.crt").unwrap_err().to_string().starts_with("cacert = \"ca.crt\": must be")
        );
        assert!(text("cacert", "a\"\r\n.pem").is_err());
    }

    #[test]
    fn an_unknown_setting_lists_the_known_ones() {
        let message = number("sni", 1).unwrap_err().to_string();
        assert!(message.starts_with("setting = \"sni\": must be one of sslversion, authmode,"), "{message}");
        assert!(message.contains("enableSNI"), "{message}");
    }

    #[test]
    fn further_settings_may_be_unknown_but_not_set_by_arguments() {
        let further = |name: &str, value: &SettingValue| {
            let setting = SslSetting::further(name, value)?;
            Ok(String::from_utf8(configure(context(3), &setting).line.bytes().to_vec()).unwrap())
        };
        let text = |text: &str| SettingValue::Text(text.to_owned());
        let refused = |result: Result<String, Invalid>| result.unwrap_err().to_string();
        assert_eq!(further("alpn", &text("mqtt")).unwrap(), "AT+CSSLCFG=\"alpn\",3,\"mqtt\"");
        assert_eq!(further("newer", &SettingValue::Number(7)).unwrap(), "AT+CSSLCFG=\"newer\",3,7");
        assert_eq!(
            further("negotiatetime", &SettingValue::Number(60)).unwrap(),
            "AT+CSSLCFG=\"negotiatetime\",3,60"
        );
        assert!(refused(further("negotiatetime", &SettingValue::Number(5))).starts_with("negotiatetime = 5"));
        assert!(refused(further("authmode", &SettingValue::Number(0))).ends_with("use verify"));
        for name in ["", "a\"b", "a b"] {
            assert!(refused(further(name, &text("x"))).starts_with("settings = "), "{name}");
        }
        assert!(refused(further("alpn", &text("a\"b"))).starts_with("settings with a quote"));
    }

    #[test]
    fn reads_every_setting_by_name() {
        let answer = "+CSSLCFG: 3,4,1,1,300,\"ca.pem\",\"\",\"\",\"\",1,0,0,0xFFFF";
        let found = ContextSettings(context(3)).answer(&lines(answer)).unwrap();
        let number = SettingValue::Number;
        let text = |text: &str| SettingValue::Text(text.to_owned());
        assert_eq!(
            found,
            [
                ("sslversion", number(4)),
                ("authmode", number(1)),
                ("ignorelocaltime", number(1)),
                ("negotiatetime", number(300)),
                ("cacert", text("ca.pem")),
                ("clientcert", text("")),
                ("clientkey", text("")),
                ("password", text("")),
                ("enableSNI", number(1)),
                ("ignorecertCN", number(0)),
                ("use_tickets", number(0)),
                ("ciphersuites", number(0xFFFF)),
            ]
        );
    }

    #[test]
    fn takes_the_line_of_its_own_context() {
        let ten = (0..10).map(|ctx| format!("+CSSLCFG: {ctx},{}", ctx % 5)).collect::<Vec<_>>().join("\n");
        assert_eq!(
            ContextSettings(context(8)).answer(&lines(&ten)).unwrap(),
            [("sslversion", SettingValue::Number(3))]
        );
        assert!(ContextSettings(context(1)).answer(&lines("+CSSLCFG: 0,4,0")).is_err());
        assert!(ContextSettings(context(1)).answer(&lines("+CSSLCFG: 1")).is_err());
    }

    #[test]
    fn a_value_of_another_kind_is_given_as_it_stands() {
        let found = ContextSettings(context(0)).answer(&lines("+CSSLCFG: 0,all,0")).unwrap();
        assert_eq!(found[0], ("sslversion", SettingValue::Text("all".to_owned())));
    }
}
