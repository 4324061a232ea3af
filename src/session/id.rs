//! Who a session is: 8 bytes of slot tag, 8 of handle, 32 of secret, all from the runtime's CSPRNG.
//!
//! Tag and handle name the session in Redis; the secret opens it, and Redis holds only its hash.
//! The cookie's value is base64url of a format byte, those 48 bytes, and an HMAC-SHA-256 over them and the namespace.

use base64ct::{Base64UrlUnpadded, Encoding};
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::error::EdgeError;
use crate::keys;
use crate::op::Context;

const FORMAT: u8 = 1;
const BODY: usize = 1 + 8 + 8 + 32;
const MAC: usize = 32;

/// No Debug, no Display: nothing may print it.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Id {
    tag: [u8; 8],
    handle: [u8; 8],
    secret: [u8; 32],
}

impl Id {
    pub fn draw(cx: &Context<'_>) -> Result<Self, EdgeError> {
        Ok(Self {
            tag: cx.random()?,
            handle: cx.random()?,
            secret: cx.random()?,
        })
    }

    /// A new id in the same slot, so that one script can move the session there.
    pub fn redraw(&self, cx: &Context<'_>) -> Result<Self, EdgeError> {
        Ok(Self {
            tag: self.tag,
            ..Self::draw(cx)?
        })
    }

    /// `{name:tag}:s:handle`.
    pub fn key(&self, name: &str) -> String {
        let mut key = String::from("{") + &keys::part(name) + ":";
        key += &Base64UrlUnpadded::encode_string(&self.tag);
        key += "}:s:";
        key += &Base64UrlUnpadded::encode_string(&self.handle);
        key
    }

    /// What Redis holds of the secret. No salt and no stretching: it is 256 random bits.
    pub fn hash(&self) -> String {
        Base64UrlUnpadded::encode_string(&Sha256::digest(self.secret))
    }

    /// The cookie's value.
    pub fn sign(&self, name: &str, secret: &[u8]) -> String {
        let mut token = Vec::with_capacity(BODY + MAC);
        token.push(FORMAT);
        token.extend_from_slice(&self.tag);
        token.extend_from_slice(&self.handle);
        token.extend_from_slice(&self.secret);
        if let Some(mac) = mac(name, secret, &token) {
            token.extend_from_slice(&mac.finalize().into_bytes());
        }
        Base64UrlUnpadded::encode_string(&token)
    }

    /// The id of a cookie's value, if one of the secrets signed it in this namespace.
    pub fn verify<S: AsRef<[u8]>>(value: &[u8], name: &str, secrets: &[S]) -> Option<Self> {
        let mut bytes = [0; BODY + MAC];
        let token = Base64UrlUnpadded::decode(value, &mut bytes).ok()?;
        let (body, tag) = token.split_at_checked(BODY)?;
        // Every secret is tried, each in constant time: how long it takes tells nothing.
        let mut signed = false;
        for secret in secrets {
            signed |= mac(name, secret.as_ref(), body)?.verify_slice(tag).is_ok();
        }
        let (format, rest) = body.split_first()?;
        let (tag, rest) = rest.split_first_chunk()?;
        let (handle, rest) = rest.split_first_chunk()?;
        let secret = rest.try_into().ok()?;
        (signed && *format == FORMAT).then_some(Self {
            tag: *tag,
            handle: *handle,
            secret,
        })
    }
}

/// The namespace stands behind its length, so that no other split of the same bytes signs alike.
fn mac(name: &str, secret: &[u8], body: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
    mac.update(b"upstash-edge session id");
    mac.update(&(name.len() as u64).to_be_bytes());
    mac.update(name.as_bytes());
    mac.update(body);
    Some(mac)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Fake;
    use proptest::prelude::*;

    const OLD: &[u8] = b"an old secret of thirty-two bytes";
    const NEW: &[u8] = b"a newer secret of thirty-two bytes";

    fn id() -> Id {
        Id::draw(&Context::new(&Fake::new())).unwrap()
    }

    #[test]
    fn a_signed_id_comes_back_under_any_of_the_secrets() {
        let value = id().sign("session", OLD);
        assert!(Id::verify(value.as_bytes(), "session", &[NEW, OLD]) == Some(id()));
        assert!(Id::verify(value.as_bytes(), "session", &[NEW]).is_none());
        assert!(Id::verify(value.as_bytes(), "other", &[OLD]).is_none());
    }

    #[test]
    fn a_new_id_stays_in_the_slot_of_the_old_one() {
        let fake = Fake::new();
        let cx = Context::new(&fake);
        let first = Id::draw(&cx).unwrap();
        let second = first.redraw(&cx).unwrap();
        let tag = |id: &Id| id.key("session").split(':').nth(1).map(str::to_owned);
        assert_eq!(tag(&first), tag(&second));
        assert_ne!(first.key("session"), second.key("session"));
        assert_ne!(first.hash(), second.hash());
    }

    proptest! {
        #[test]
        fn one_changed_character_is_refused(at in 0usize..108, to in "[A-Za-z0-9_-]") {
            let value = id().sign("session", OLD);
            let mut forged = value.clone();
            forged.replace_range(at..=at, &to);
            prop_assert_eq!(
                Id::verify(forged.as_bytes(), "session", &[OLD]).is_some(),
                forged == value
            );
        }

        #[test]
        fn any_bytes_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(Id::verify(&bytes, "session", &[OLD]).is_none());
        }
    }
}
