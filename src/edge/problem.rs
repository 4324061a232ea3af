//! What is wrong with a request, as `application/problem+json` (RFC 9457).

use serde::Serialize;

use crate::ratelimit::Decision;

/// The problem type of draft-ietf-httpapi-ratelimit-headers-11, section 5.1.
const QUOTA_EXCEEDED: &str = "https://iana.org/assignments/http-problem-types#quota-exceeded";

/// A problem, for the body of an answer of its status.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    /// The HTTP status.
    pub status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(rename = "violated-policies", skip_serializing_if = "Vec::is_empty")]
    violated: Vec<String>,
}

impl Problem {
    /// The type of its body.
    pub const CONTENT_TYPE: &'static str = "application/problem+json";

    /// One that its status says all of.
    #[must_use]
    pub fn new(status: u16, title: &'static str) -> Self {
        Self {
            kind: "about:blank",
            title,
            status,
            detail: None,
            violated: Vec::new(),
        }
    }

    /// A text for the reader: no internals, it goes to strangers.
    #[must_use]
    pub fn detail(mut self, detail: &str) -> Self {
        self.detail = Some(detail.to_owned());
        self
    }

    /// 429: the limits that have no room; its headers are the [decision's](Decision::headers).
    #[must_use]
    pub fn quota_exceeded(decision: &Decision) -> Self {
        let full = decision.policies.iter().filter(|policy| {
            let named = decision.limited_by.as_ref() == Some(&policy.name);
            named || policy.remaining == 0
        });
        Self {
            kind: QUOTA_EXCEEDED,
            violated: full.map(|policy| policy.name.clone()).collect(),
            ..Self::new(
                429,
                "Request cannot be satisfied as assigned quota has been exceeded",
            )
        }
    }

    /// As JSON.
    #[must_use]
    pub fn json(&self) -> String {
        // Not reached: there is nothing in it that JSON cannot hold.
        serde_json::to_string(self).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_says_no_more_than_it_is_told() {
        let problem = Problem::new(502, "Bad Gateway");
        assert_eq!(
            problem.json(),
            r#"{"type":"about:blank","title":"Bad Gateway","status":502}"#
        );
        let problem = problem.detail("the origin could not be reached");
        assert!(
            problem
                .json()
                .ends_with(r#""detail":"the origin could not be reached"}"#)
        );
    }
}
