//! `Cache-Control`, of a request or an answer (RFC 9111, section 5.2; RFC 5861).

use super::fields::{Fields, cut, item, trim};

/// Longer times are as good as this one (RFC 9111, section 1.2.2), in seconds.
const LONGEST_S: u64 = 1 << 31;

const NAMES: [&str; 13] = [
    "no-store",
    "no-cache",
    "private",
    "public",
    "must-revalidate",
    "proxy-revalidate",
    "only-if-cached",
    "max-stale",
    "max-age",
    "s-maxage",
    "min-fresh",
    "stale-while-revalidate",
    "stale-if-error",
];

/// What is said, each by its name; times in milliseconds. Said twice, the stricter holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Directives {
    pub no_store: bool,
    pub no_cache: bool,
    pub private: bool,
    pub public: bool,
    pub must_revalidate: bool,
    pub proxy_revalidate: bool,
    pub only_if_cached: bool,
    pub max_stale_ms: Option<u64>,
    pub max_age_ms: Option<u64>,
    pub s_maxage_ms: Option<u64>,
    pub min_fresh_ms: Option<u64>,
    pub stale_while_revalidate_ms: Option<u64>,
    pub stale_if_error_ms: Option<u64>,
}

impl Directives {
    pub fn of(fields: Fields<'_>) -> Self {
        let mut said = Self::default();
        let mut any = false;
        for mut list in fields.values("cache-control") {
            any = true;
            while let Some(item) = item(&mut list) {
                said.take(item);
            }
        }
        // RFC 9111, section 5.4: without Cache-Control it means no-cache; in answers it is often seen, and means that.
        let old = |mut list| {
            let is = |item: &str| item.eq_ignore_ascii_case("no-cache");
            std::iter::from_fn(move || item(&mut list)).any(is)
        };
        if !any && fields.values("pragma").any(old) {
            said.no_cache = true;
        }
        said
    }

    fn take(&mut self, item: &str) {
        let (name, value) = cut(item, b'=');
        let name = trim(name);
        let Some(place) = NAMES
            .iter()
            .position(|known| known.eq_ignore_ascii_case(name))
        else {
            return;
        };
        // What is no number of seconds is none at all (RFC 9111, section 4.2.1: stale).
        let ms = value.map(|value| seconds(value).unwrap_or(0) * 1_000);
        let strictest = |before: &mut Option<u64>, ms: Option<u64>| {
            let ms = ms.unwrap_or(0);
            *before = Some(before.map_or(ms, |before| before.min(ms)));
        };
        match place {
            // Even beside `must-understand`, which might lift it: the stricter reading.
            0 => self.no_store = true,
            // Of some fields only: as if of all, for what is stored is served whole.
            1 => self.no_cache = true,
            2 => self.private = true,
            3 => self.public = true,
            4 => self.must_revalidate = true,
            5 => self.proxy_revalidate = true,
            6 => self.only_if_cached = true,
            // Without a value: however stale.
            7 => strictest(&mut self.max_stale_ms, ms.or(Some(LONGEST_S * 1_000))),
            8 => strictest(&mut self.max_age_ms, ms),
            9 => strictest(&mut self.s_maxage_ms, ms),
            10 => {
                let before = self.min_fresh_ms.unwrap_or(0);
                self.min_fresh_ms = Some(before.max(ms.unwrap_or(0)));
            }
            11 => strictest(&mut self.stale_while_revalidate_ms, ms),
            _ => strictest(&mut self.stale_if_error_ms, ms),
        }
    }
}

/// A number of seconds, in quotes or not.
pub(super) fn seconds(text: &str) -> Option<u64> {
    let text = trim(text).as_bytes();
    let text = match text {
        [b'"', inner @ .., b'"'] => inner,
        _ => text,
    };
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0u64, |number, digit| {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 10)?;
        Some((number * 10 + u64::from(digit)).min(LONGEST_S))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn said(value: &str) -> Directives {
        let head = "cache-control:".to_owned() + value;
        Directives::of(Fields(&head))
    }

    #[test]
    fn directives_are_read_in_any_case_with_junk_between_them() {
        let read = said(
            r#"Max-Age = "60" , x="max-age=1, no-store", s-maxage=5,,;=, PRIVATE="a,no-store""#,
        );
        let expected = Directives {
            max_age_ms: Some(60_000),
            s_maxage_ms: Some(5_000),
            private: true,
            ..Directives::default()
        };
        assert_eq!(read, expected);
    }

    #[test]
    fn of_two_the_stricter_holds_and_what_is_no_number_is_none() {
        assert_eq!(said("max-age=60, max-age=30").max_age_ms, Some(30_000));
        assert_eq!(said("max-age=60, max-age=x").max_age_ms, Some(0));
        assert_eq!(said("max-age=-1").max_age_ms, Some(0));
        assert_eq!(said("max-age").max_age_ms, Some(0));
        assert_eq!(
            said("max-age=99999999999999999999").max_age_ms,
            Some(LONGEST_S * 1_000)
        );
        assert_eq!(said("max-stale").max_stale_ms, Some(LONGEST_S * 1_000));
        assert_eq!(said("min-fresh=5, min-fresh=7").min_fresh_ms, Some(7_000));
    }

    #[test]
    fn pragma_counts_only_without_cache_control() {
        let of = |head| Directives::of(Fields(head)).no_cache;
        assert!(of("pragma:x, No-Cache\n"));
        assert!(!of("pragma:no-cache\ncache-control:max-age=1\n"));
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in any::<String>()) {
            let _ = said(&text);
        }
    }
}
