//! What is said of a login.

use super::write::Entered;
use crate::error::EdgeError;
use crate::wire::json_string_into;

/// Who logs in, and how: a user's id is one, with nothing else said.
///
/// ```
/// use upstash_edge::Login;
/// let login = Login::of("ada").info("device", "laptop").absolute_ms(30 * 86_400_000).persistent();
/// ```
pub struct Login {
    pub(super) user: String,
    info: Vec<(String, String)>,
    pub(super) absolute_ms: Option<u64>,
    pub(super) persistent: bool,
}

impl Login {
    /// The user of this id.
    #[must_use]
    pub fn of(user: &str) -> Self {
        Self {
            user: user.to_owned(),
            info: Vec::new(),
            absolute_ms: None,
            persistent: false,
        }
    }

    /// Something for [`Sessions::list`](super::Sessions::list) to tell: a device, a place.
    #[must_use]
    pub fn info(mut self, name: &str, value: &str) -> Self {
        self.info.retain(|(other, _)| other != name);
        self.info.push((name.to_owned(), value.to_owned()));
        self
    }

    /// When it ends at the latest, in milliseconds from its save on, in place of what the sessions are configured with.
    /// The idle limit holds all the same.
    #[must_use]
    pub fn absolute_ms(mut self, ms: u64) -> Self {
        self.absolute_ms = Some(ms);
        self
    }

    /// The browser keeps the cookie when it is closed: "remember me".
    #[must_use]
    pub fn persistent(mut self) -> Self {
        self.persistent = true;
        self
    }

    pub(super) fn check(&self) -> Result<(), EdgeError> {
        match self.absolute_ms {
            Some(ms) => super::config::absolute(ms).map(|_| ()),
            None => Ok(()),
        }
    }

    pub(super) fn entered(&self, generation: String, ends_at: u64) -> Entered {
        let mut info = vec![b'{'];
        for (name, value) in &self.info {
            if info.len() > 1 {
                info.push(b',');
            }
            json_string_into(&mut info, name);
            info.push(b':');
            json_string_into(&mut info, value);
        }
        info.push(b'}');
        Entered {
            user: self.user.clone(),
            info: String::from_utf8(info).unwrap_or_default(),
            generation,
            ends_at,
            persistent: self.persistent,
        }
    }
}

impl From<&str> for Login {
    fn from(user: &str) -> Self {
        Self::of(user)
    }
}
