use super::Invalid;
use crate::inbound::is_filter;

/// What selects among the messages that arrive: 1 to 1024 bytes, wildcards where MQTT has them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter(Vec<u8>);

impl Filter {
    const LONGEST: usize = 1024;

    pub fn parse(filter: impl Into<Vec<u8>>) -> Result<Self, Invalid> {
        let filter = filter.into();
        if filter.is_empty() || filter.len() > Self::LONGEST {
            return Err(Invalid::length("filter", filter.len(), format!("1 to {} bytes", Self::LONGEST)));
        }
        if !is_filter(&filter) {
            let expected = "a topic filter: + alone in its level, # alone in the last";
            return Err(Invalid::text("filter", &String::from_utf8_lossy(&filter), expected));
        }
        Ok(Self(filter))
    }

    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::Filter;

    #[test]
    fn is_what_can_match() {
        for filter in ["a", "#", "+", "a/+/b/#", "$share/group/#", "/", "a//b"] {
            assert_eq!(Filter::parse(filter).unwrap().bytes(), filter.as_bytes());
        }
        for filter in ["a/#/b", "a+", "+a/b", "a#", "##", "#/"] {
            assert_eq!(
                Filter::parse(filter).unwrap_err().to_string(),
                format!(
                    "filter = {filter:?}: must be a topic filter: + alone in its level, # alone in the last"
                )
            );
        }
        assert_eq!(Filter::parse("").unwrap_err().to_string(), "filter of 0 bytes: must be 1 to 1024 bytes");
        assert!(Filter::parse([b'x'; 1025]).is_err());
    }
}
