//! A short list of what was used last: what is found again by its text, until too many others were used.

/// Values by their keys, as many as `most`; what was used last stands last.
pub(crate) struct Recent<V> {
    most: usize,
    known: Vec<(String, V)>,
}

impl<V: Clone> Recent<V> {
    pub const fn new(most: usize) -> Self {
        Self {
            most,
            known: Vec::new(),
        }
    }

    /// The value of `key`, made where it is not known; then what was unused longest is forgotten if it must be.
    ///
    /// # Errors
    /// That of `make`.
    pub fn get<E>(&mut self, key: &str, make: impl FnOnce() -> Result<V, E>) -> Result<V, E> {
        let mut at = 0;
        while self.known.get(at).is_some_and(|(other, _)| other != key) {
            at += 1;
        }
        let value = match self.known.get(at) {
            Some((_, value)) => value.clone(),
            None => {
                let value = make()?;
                let made = (key.to_owned(), value.clone());
                match self.known.first_mut() {
                    Some(oldest) if at >= self.most => {
                        *oldest = made;
                        at = 0;
                    }
                    _ => self.known.push(made),
                }
                value
            }
        };
        while let Some([this, next]) = self.known.get_mut(at..at + 2) {
            std::mem::swap(this, next);
            at += 1;
        }
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_unused_longest_is_made_anew() {
        let mut recent = Recent::new(2);
        let mut made = String::new();
        for key in ["a", "b", "a", "c", "a", "b", "c"] {
            let value = recent.get(key, || {
                made += key;
                Ok::<_, ()>(key.to_owned())
            });
            assert_eq!(value.as_deref(), Ok(key));
        }
        assert_eq!(made, "abcbc");
        assert_eq!(
            recent.get("d", || Err("cannot be made")),
            Err("cannot be made")
        );
        assert_eq!(recent.known.len(), 2);
    }
}
