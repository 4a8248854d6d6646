//! The certificate store of the module: `AT+CCERTDOWN`, `AT+CCERTLIST`, `AT+CCERTDELE`.

use super::Invalid;
use super::legal_values::quotable;
use super::query::{Lines, Query, UnexpectedAnswer, command, each, text};
use crate::at::Command;

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
}
