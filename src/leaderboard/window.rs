//! The days and weeks of boards.

const DAY_MS: u64 = 86_400_000;

/// Of what time a board's scores are. Days are UTC's; weeks are ISO 8601's, from Monday to Sunday, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// Of all time.
    All,
    /// Of one day.
    Day,
    /// Of one week.
    Week,
}

impl Window {
    /// Adds the name of the board that `at` (epoch milliseconds) belongs to: its window, and the number of the day or week
    /// since the epoch.
    pub(super) fn name_into(self, name: &mut String, at: u64) {
        let day = at / DAY_MS;
        let (window, number) = match self {
            Self::All => ("all", None),
            Self::Day => ("day", Some(day)),
            // The epoch began on a Thursday.
            Self::Week => ("week", Some((day + 3) / 7)),
        };
        *name += window;
        if let Some(number) = number {
            *name += itoa::Buffer::new().format(number);
        }
    }

    /// When that board ends, in epoch milliseconds; `None` if it is of all time.
    pub(super) fn end_ms(self, at: u64) -> Option<u64> {
        let day = at / DAY_MS;
        let end = match self {
            Self::All => return None,
            Self::Day => day + 1,
            Self::Week => (day + 3) / 7 * 7 + 4,
        };
        Some(end.saturating_mul(DAY_MS))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_begin_at_midnight_and_weeks_on_monday_in_utc() {
        // `date -u -d 2026-11-22T23:59:59.999Z +%s%3N`: a Sunday, of ISO week 47; then a Monday.
        let sunday = 1_795_391_999_999;
        let name = |window: Window, at| {
            let mut name = String::new();
            window.name_into(&mut name, at);
            name
        };
        for (window, same, other) in [
            (Window::Day, sunday - DAY_MS + 1, sunday - DAY_MS),
            (Window::Week, sunday - 7 * DAY_MS + 1, sunday - 7 * DAY_MS),
        ] {
            assert_eq!(name(window, sunday), name(window, same));
            assert_ne!(name(window, sunday), name(window, other));
            assert_ne!(name(window, sunday), name(window, sunday + 1));
            assert_eq!(window.end_ms(sunday), Some(sunday + 1));
            assert_eq!(window.end_ms(same), Some(sunday + 1));
        }
        assert_eq!(name(Window::All, 0), name(Window::All, sunday));
        assert_eq!(Window::All.end_ms(sunday), None);
    }
}
