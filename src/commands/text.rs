//! Texts that stand between quotes in a command line.

use super::Invalid;
use crate::at::ClientIndex;

/// What would end the quotes or the command, or (backspace) take back what stands before.
const FORBIDDEN: &[(char, &str)] = &[
    ('"', "a quote"),
    ('\r', "a carriage return"),
    ('\n', "a line feed"),
    ('\0', "a NUL"),
    ('\u{8}', "a backspace"),
];

/// `text`, if a command line can carry it between quotes.
pub(super) fn quotable<'t>(argument: &'static str, text: &'t str) -> Result<&'t str, Invalid> {
    match FORBIDDEN.iter().find(|(character, _)| text.contains(*character)) {
        None => Ok(text),
        Some((_, what)) => Err(Invalid::with(
            argument,
            what,
            "free of quotes, CR, LF, NUL and backspace, which end a parameter",
        )),
    }
}

/// Returns `text` if it has 1 to `most` bytes and a command line can carry it between quotes.
pub(super) fn sized<'t>(argument: &'static str, text: &'t str, most: usize) -> Result<&'t str, Invalid> {
    if text.is_empty() || text.len() > most {
        return Err(Invalid::length(argument, text.len(), format!("1 to {most} bytes")));
    }
    quotable(argument, text)
}

/// `<clientID>` of `AT+CMQTTACCQ`: 1 to 128 bytes of UTF-8.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ClientId(String);

impl ClientId {
    pub const LONGEST: usize = 128;

    pub fn parse(text: &str) -> Result<Self, Invalid> {
        Ok(Self(sized("client_id", text, Self::LONGEST)?.to_owned()))
    }

    /// The client id of a caller that names none: unique by the module's IMEI.
    ///
    /// # Errors
    ///
    /// [`Invalid`] if the IMEI is none.
    pub fn of_module(imei: &str, index: ClientIndex) -> Result<Self, Invalid> {
        Self::parse(&format!("{imei}-{index}"))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// `<user_name>` and `<pass_word>` of `AT+CMQTTCONNECT`: 1 to 256 bytes each.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    username: String,
    password: Option<String>,
}

impl Credentials {
    pub const LONGEST: usize = 256;

    /// None without a user name; a password cannot stand alone on the line.
    pub fn parse(username: Option<&str>, password: Option<&str>) -> Result<Option<Self>, Invalid> {
        let password =
            password.map(|text| sized("password", text, Self::LONGEST).map(str::to_owned)).transpose()?;
        match (username, password) {
            (Some(username), password) => {
                let username = sized("username", username, Self::LONGEST)?.to_owned();
                Ok(Some(Self { username, password }))
            }
            (None, None) => Ok(None),
            (None, Some(_)) => Err(Invalid::value(
                "username",
                "None",
                "given with a password: the module takes no password alone",
            )),
        }
    }

    pub fn username(&self) -> &str {
        &self.username
    }

    pub(super) fn password(&self) -> Option<&str> {
        self.password.as_deref()
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Credentials")
            .field("username", &self.username)
            .field("password", &self.password.as_ref().map(|_| "********"))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_ids_are_1_to_128_bytes() {
        assert_eq!(ClientId::parse("a").unwrap().as_str(), "a");
        assert!(ClientId::parse(&"a".repeat(128)).is_ok());
        assert_eq!(
            ClientId::parse("").unwrap_err().to_string(),
            "client_id of 0 bytes: must be 1 to 128 bytes"
        );
        assert_eq!(
            ClientId::parse(&"é".repeat(65)).unwrap_err().to_string(),
            "client_id of 130 bytes: must be 1 to 128 bytes"
        );
    }

    #[test]
    fn default_client_id_is_imei_and_index() {
        let id = ClientId::of_module("864643060012345", ClientIndex::One).unwrap();
        assert_eq!(id.as_str(), "864643060012345-1");
    }

    #[test]
    fn nothing_escapes_from_the_quotes() {
        for (text, what) in [
            ("a\"b", "a quote"),
            ("a\rb", "a carriage return"),
            ("a\nb", "a line feed"),
            ("a\0b", "a NUL"),
            ("a\u{8}b", "a backspace"),
        ] {
            let message = ClientId::parse(text).unwrap_err().to_string();
            assert!(message.starts_with(&format!("client_id with {what}: must be free of")), "{message}");
            assert!(Credentials::parse(Some(text), None).is_err());
            assert!(Credentials::parse(Some("user"), Some(text)).is_err());
        }
        assert!(ClientId::parse("a,b;c'\\ é").is_ok());
    }

    #[test]
    fn credentials_are_1_to_256_bytes_each() {
        let longest = "x".repeat(256);
        assert!(Credentials::parse(Some(&longest), Some(&longest)).unwrap().is_some());
        let too_long = "x".repeat(257);
        assert_eq!(
            Credentials::parse(Some(&too_long), None).unwrap_err().to_string(),
            "username of 257 bytes: must be 1 to 256 bytes"
        );
        for password in [too_long.as_str(), ""] {
            assert_eq!(
                Credentials::parse(Some("u"), Some(password)).unwrap_err().to_string(),
                format!("password of {} bytes: must be 1 to 256 bytes", password.len())
            );
        }
        assert!(Credentials::parse(Some(""), None).is_err());
        assert_eq!(Credentials::parse(None, None), Ok(None));
    }

    #[test]
    fn a_password_needs_a_user_name() {
        let message = Credentials::parse(None, Some("secret")).unwrap_err().to_string();
        assert!(message.starts_with("username = None: must be given with a password"), "{message}");
    }

    #[test]
    fn passwords_are_not_shown() {
        let credentials = Credentials::parse(Some("user"), Some("hunter2")).unwrap().unwrap();
        assert!(!format!("{credentials:?}").contains("hunter2"));
        let refused = Credentials::parse(Some("user"), Some("hunter2\"")).unwrap_err();
        assert!(!refused.to_string().contains("hunter2"));
    }
}
