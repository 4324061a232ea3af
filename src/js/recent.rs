//! What was made of configurations that come as text with every call: found again by it, for people build their objects
//! inside handlers.

use crate::error::EdgeError;

/// Past so many, the one unused longest is forgotten.
const MOST: usize = 64;

pub(super) struct Recent<T>(Vec<(String, T)>);

impl<T: Clone> Recent<T> {
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// What this configuration made, or makes now.
    pub fn of(
        &mut self,
        config: &str,
        make: fn(&str) -> Result<T, EdgeError>,
    ) -> Result<T, EdgeError> {
        let known = self.0.iter().position(|(other, _)| other == config);
        let found = match known {
            Some(known) => self.0.remove(known),
            None => (config.to_owned(), make(config)?),
        };
        if self.0.len() >= MOST {
            self.0.remove(0);
        }
        let made = found.1.clone();
        self.0.push(found);
        Ok(made)
    }
}
