//! What an answer says of who may keep it.

/// The `Cache-Control` of an answer whose handler has seen the session, or which tells a cookie; `None` leaves it as it
/// is. One that says `public` is for everybody, by its handler's word, unless a cookie goes with it.
pub(crate) fn privacy(told: Option<&str>, cookies: bool) -> Option<String> {
    let told = told.unwrap_or_default().trim();
    // OWASP: what sets an id is stored nowhere.
    if told.is_empty() || cookies {
        return Some("private, no-store".to_owned());
    }
    let says = |name| directive(told, name);
    (!says("public") && !says("private") && !says("no-store"))
        .then(|| String::from("private, ") + told)
}

/// Whether an answer is for everybody, whoever it was made for.
pub(crate) fn is_public(told: Option<&str>) -> bool {
    told.is_some_and(|told| directive(told, "public"))
}

/// Names of directives know no case, and may have arguments: `private="set-cookie"` is taken for `private`.
fn directive(told: &str, name: &str) -> bool {
    told.split(',').any(|part| {
        let end = part.find('=').unwrap_or(part.len());
        let found = part.get(..end).unwrap_or_default();
        found.trim().eq_ignore_ascii_case(name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_session_may_have_made_is_for_its_visitor_alone() {
        for (told, expected) in [
            (None, Some("private, no-store")),
            (Some(""), Some("private, no-store")),
            (Some("max-age=60"), Some("private, max-age=60")),
            (
                Some("s-maxage=60, max-age=5"),
                Some("private, s-maxage=60, max-age=5"),
            ),
            (Some("no-cache"), Some("private, no-cache")),
            (Some("max-age=60, Private"), None),
            (Some("no-store"), None),
            (Some("Public, max-age=60"), None),
            (Some("x=public"), Some("private, x=public")),
        ] {
            assert_eq!(privacy(told, false).as_deref(), expected, "{told:?}");
            assert_eq!(privacy(told, true).as_deref(), Some("private, no-store"));
        }
        assert!(is_public(Some("max-age=1, public")));
        assert!(!is_public(Some("publicity")) && !is_public(None));
    }
}
