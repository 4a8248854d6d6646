/// Returns true if `filter` selects `topic` by the rules of MQTT 3.1.1, section 4.7: `+` is one level, `#` the rest; a topic that
/// begins with `$` is not matched by a leading wildcard; `$share/<group>/` is stripped.
pub fn matches_filter(filter: &[u8], topic: &[u8]) -> bool {
    let filter = without_share_group(filter);
    if topic.first() == Some(&b'$') && matches!(filter.first(), Some(b'+' | b'#')) {
        return false;
    }
    let mut levels = topic.split(|byte| *byte == b'/');
    for wanted in filter.split(|byte| *byte == b'/') {
        if wanted == b"#" {
            return true;
        }
        match levels.next() {
            Some(level) if wanted == b"+" || wanted == level => {}
            _ => return false,
        }
    }
    levels.next().is_none()
}

/// Returns true if the wildcards are where section 4.7 of MQTT 3.1.1 has them; elsewhere it matches nothing.
pub fn is_filter(filter: &[u8]) -> bool {
    let levels: Vec<_> = filter.split(|byte| *byte == b'/').collect();
    levels.iter().enumerate().all(|(place, level)| match *level {
        b"#" => place + 1 == levels.len(),
        b"+" => true,
        level => !level.iter().any(|byte| matches!(byte, b'#' | b'+')),
    })
}

fn without_share_group(filter: &[u8]) -> &[u8] {
    let Some(rest) = filter.strip_prefix(b"$share/") else { return filter };
    rest.iter().position(|byte| *byte == b'/').map_or(filter, |slash| &rest[slash + 1..])
}

#[cfg(test)]
mod tests {
    use crate::inbound::matches_filter;

    #[test]
    fn follows_the_standard() {
        for (filter, topic, expected) in [
            ("a/b", "a/b", true),
            ("a/b", "a/b/c", false),
            ("a/+", "a/b", true),
            ("a/+", "a", false),
            ("a/+", "a/", true),
            ("+/+", "/finance", true),
            ("/+", "/finance", true),
            ("+", "/finance", false),
            ("#", "a/b/c", true),
            ("a/#", "a", true),
            ("a/#", "a/b/c", true),
            ("a/#", "ab", false),
            ("#", "$SYS/x", false),
            ("+/x", "$SYS/x", false),
            ("$SYS/#", "$SYS/x", true),
            ("$share/group/a/+", "a/b", true),
            ("$share/group", "a", false),
        ] {
            assert_eq!(matches_filter(filter.as_bytes(), topic.as_bytes()), expected, "{filter} {topic}");
        }
    }
}
