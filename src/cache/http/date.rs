//! Dates as HTTP writes them (RFC 9110, section 5.6.7): `Sun, 06 Nov 1994 08:49:37 GMT`.
//!
//! The two obsolete forms are read as no date at all: an `Expires` in one of them is over, which is safe.

const MONTHS: &[u8; 36] = b"JanFebMarAprMayJunJulAugSepOctNovDec";
const DAYS: &[u8; 21] = b"ThuFriSatSunMonTueWed";
const DAY_MS: u64 = 86_400_000;

/// In epoch milliseconds.
pub(super) fn parse(text: &str) -> Option<u64> {
    let text = text.as_bytes();
    let number = |at: usize, len: usize| {
        let digits = text.get(at..at + len)?;
        digits.iter().try_fold(0u64, |number, digit| {
            Some(number * 10 + u64::from(digit.checked_sub(b'0').filter(|digit| *digit < 10)?))
        })
    };
    if text.len() != 29 || text.get(3..5)? != b", " || text.get(25..)? != b" GMT" {
        return None;
    }
    let name = text.get(8..11)?;
    let month = MONTHS.chunks(3).position(|month| month == name)? as u64;
    let (day, year) = (number(5, 2)?, number(12, 4)?);
    let (hour, minute, second) = (number(17, 2)?, number(20, 2)?, number(23, 2)?);
    if !(1..=31).contains(&day) || year < 1970 || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let days = first_of(year, month) + day - 1;
    Some(days * DAY_MS + (hour * 3_600 + minute * 60 + second) * 1_000)
}

/// `ms` since the epoch, as a date.
pub(super) fn format(ms: u64) -> String {
    let (days, seconds) = (ms / DAY_MS, ms % DAY_MS / 1_000);
    // A year has 365.2425 days: never too far, and one too few at most.
    let mut year = 1970 + days * 10_000 / 3_652_425;
    while first_of(year + 1, 0) <= days {
        year += 1;
    }
    let mut month = 11;
    while month > 0 && first_of(year, month) > days {
        month -= 1;
    }
    let mut text = String::with_capacity(29);
    let name = |text: &mut String, names: &[u8], at: u64| {
        let names = names.chunks(3).nth(at as usize).unwrap_or_default();
        text.extend(names.iter().map(|byte| char::from(*byte)));
    };
    let number = |text: &mut String, number: u64, behind: &str| {
        if number < 10 {
            text.push('0');
        }
        text.push_str(itoa::Buffer::new().format(number));
        text.push_str(behind);
    };
    name(&mut text, DAYS, days % 7);
    text.push_str(", ");
    number(&mut text, days - first_of(year, month) + 1, " ");
    name(&mut text, MONTHS, month);
    text.push(' ');
    number(&mut text, year, " ");
    number(&mut text, seconds / 3_600, ":");
    number(&mut text, seconds / 60 % 60, ":");
    number(&mut text, seconds % 60, " GMT");
    text
}

/// The days from the epoch to the first of a month, January being 0.
fn first_of(year: u64, month: u64) -> u64 {
    // Years that begin in March, so that the leap day is a year's last.
    let (year, month) = if month < 2 {
        (year - 1, month + 10)
    } else {
        (year, month - 2)
    };
    365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn dates_are_those_of_the_rfc() {
        assert_eq!(
            parse("Sun, 06 Nov 1994 08:49:37 GMT"),
            Some(784_111_777_000)
        );
        assert_eq!(parse("Thu, 01 Jan 1970 00:00:00 GMT"), Some(0));
        assert_eq!(
            parse("Thu, 29 Feb 2024 23:59:59 GMT"),
            Some(1_709_251_199_000)
        );
        assert_eq!(format(1_709_251_199_999), "Thu, 29 Feb 2024 23:59:59 GMT");
        for none in [
            "",
            "0",
            "-1",
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 06 Nov 1969 08:49:37 GMT",
            "Sun, 32 Nov 1994 08:49:37 GMT",
            "Sun, 06 nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:49:37 GMT",
        ] {
            assert_eq!(parse(none), None, "{none}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(seconds in 0u64..253_402_300_800) {
            let ms = seconds * 1_000;
            prop_assert_eq!(parse(&format(ms)), Some(ms));
        }

        #[test]
        fn any_text_is_a_date_or_none(text in any::<String>()) {
            let _ = parse(&text);
        }
    }
}
