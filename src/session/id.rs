//! Who a session is: 8 bytes of slot tag, 8 of handle, 32 of secret, all from the runtime's CSPRNG.
//!
//! Tag and handle name the session in Redis, the handle until a login, the tag, and so its slot, for all its life; the
//! secret opens it, and Redis holds only its hash.
//! The cookie's value is base64url of a format byte, those 48 bytes, after a login 16 of user tag, and an HMAC-SHA-256
//! over them and the namespace.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::user::UserTag;
use crate::base64;
use crate::error::EdgeError;
use crate::host::entropy;
use crate::keys;

const FORMAT: u8 = 1;
const BODY: usize = 1 + 8 + 8 + 32;
const USER: usize = 16;
const MAC: usize = 32;
/// Of a tag, or a handle, in base64url.
const HALF: usize = 11;

/// No Debug, no Display: nothing may print it.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Id {
    place: Place,
    secret: [u8; 32],
    pub user: Option<UserTag>,
}

/// Where a session is. As text, 22 characters, it is what a list calls its handle: it opens nothing.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Place {
    tag: [u8; 8],
    handle: [u8; 8],
}

impl Place {
    pub fn parse(text: &str) -> Option<Self> {
        let (tag, handle) = text.split_at_checked(HALF)?;
        let half = |text: &str| base64::from_url(text.as_bytes())?.try_into().ok();
        Some(Self {
            tag: half(tag)?,
            handle: half(handle)?,
        })
    }

    pub fn text(&self) -> String {
        base64::url(&self.tag) + &base64::url(&self.handle)
    }

    /// `{name:tag}:s:handle`.
    pub fn key(&self, name: &str) -> String {
        let mut key = String::from("{") + &keys::part(name) + ":";
        key += &base64::url(&self.tag);
        key += "}:s:";
        key += &base64::url(&self.handle);
        key
    }
}

impl Id {
    /// Of a session that is to begin.
    pub fn draw(user: Option<UserTag>) -> Result<Self, EdgeError> {
        let (mut tag, mut handle, mut secret) = ([0; 8], [0; 8], [0; 32]);
        entropy(&mut tag)?;
        entropy(&mut handle)?;
        entropy(&mut secret)?;
        let place = Place { tag, handle };
        Ok(Self {
            place,
            secret,
            user,
        })
    }

    /// Another secret for the same session.
    pub fn redraw(&self) -> Result<Self, EdgeError> {
        let mut next = self.clone();
        entropy(&mut next.secret)?;
        Ok(next)
    }

    /// Another id in the same slot, so that one script can move the session there.
    pub fn login(&self, user: Option<UserTag>) -> Result<Self, EdgeError> {
        let mut next = Self::draw(user)?;
        next.place.tag = self.place.tag;
        Ok(next)
    }

    pub fn place(&self) -> &Place {
        &self.place
    }

    /// What lasts: the user, else the slot tag, which neither login nor rotation changes.
    pub fn holder(&self) -> String {
        let user = self.user.as_ref().map(|user| &user[..]);
        base64::url(user.unwrap_or(&self.place.tag))
    }

    /// Its key in Redis.
    pub fn key(&self, name: &str) -> String {
        self.place.key(name)
    }

    /// What Redis holds of the secret. No salt and no stretching: it is 256 random bits.
    pub fn hash(&self) -> String {
        base64::url(&Sha256::digest(self.secret))
    }

    fn body(&self) -> Vec<u8> {
        let mut body = Vec::with_capacity(BODY + USER + MAC);
        body.push(FORMAT);
        body.extend_from_slice(&self.place.tag);
        body.extend_from_slice(&self.place.handle);
        body.extend_from_slice(&self.secret);
        if let Some(user) = &self.user {
            body.extend_from_slice(user);
        }
        body
    }

    fn of_body(body: &[u8]) -> Option<Self> {
        let (format, rest) = body.split_first()?;
        let (tag, rest) = rest.split_first_chunk()?;
        let (handle, rest) = rest.split_first_chunk()?;
        let (secret, rest) = rest.split_first_chunk()?;
        let user = match rest {
            [] => None,
            user => Some(user.try_into().ok()?),
        };
        (*format == FORMAT).then_some(Self {
            place: Place {
                tag: *tag,
                handle: *handle,
            },
            secret: *secret,
            user,
        })
    }

    /// What the JavaScript face keeps between load and save.
    #[cfg(feature = "js-sessions")]
    pub fn text(&self) -> String {
        base64::url(&self.body())
    }

    #[cfg(feature = "js-sessions")]
    pub fn parse(text: &str) -> Option<Self> {
        Self::of_body(&base64::from_url(text.as_bytes())?)
    }

    /// The cookie's value.
    pub fn sign(&self, name: &str, secret: &[u8]) -> String {
        let mut token = self.body();
        if let Some(mac) = mac(name, secret, &token) {
            token.extend_from_slice(&mac.finalize().into_bytes());
        }
        base64::url(&token)
    }

    /// The id of a cookie's value, if one of the secrets signed it in this namespace; whether that was the first.
    pub fn verify<S: AsRef<[u8]>>(value: &[u8], name: &str, secrets: &[S]) -> Option<(Self, bool)> {
        let token = base64::from_url(value)?;
        let (body, tag) = token.split_at_checked(token.len().checked_sub(MAC)?)?;
        // Every secret is tried, each in constant time: how long it takes tells nothing.
        let (mut signed, mut first) = (false, false);
        for (at, secret) in secrets.iter().enumerate() {
            let by_it = mac(name, secret.as_ref(), body)?.verify_slice(tag).is_ok();
            signed |= by_it;
            first |= by_it && at == 0;
        }
        let id = Self::of_body(body)?;
        signed.then_some((id, first))
    }

    /// What a CSRF token stands for: bound to the secret, so that it ends with it.
    pub fn csrf_mac(&self, name: &str) -> Option<Hmac<Sha256>> {
        keyed(&self.secret, b"upstash-edge csrf", name)
    }
}

fn mac(name: &str, secret: &[u8], body: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = keyed(secret, b"upstash-edge session id", name)?;
    mac.update(body);
    Some(mac)
}

/// The namespace stands behind its length, so that no other split of the same bytes signs alike.
fn keyed(secret: &[u8], purpose: &[u8], name: &str) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
    mac.update(purpose);
    mac.update(&(name.len() as u64).to_be_bytes());
    mac.update(name.as_bytes());
    Some(mac)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const OLD: &[u8] = b"an old secret of thirty-two bytes";
    const NEW: &[u8] = b"a newer secret of thirty-two bytes";

    fn anonymous() -> Id {
        Id::draw(None).unwrap()
    }

    fn user() -> Id {
        Id::draw(Some([7; 16])).unwrap()
    }

    #[test]
    fn a_signed_id_comes_back_under_any_of_the_secrets() {
        for (id, length) in [(anonymous(), 108), (user(), 130)] {
            let value = id.sign("session", OLD);
            assert_eq!(value.len(), length);
            let verified = |name, secrets: &[&[u8]]| Id::verify(value.as_bytes(), name, secrets);
            assert!(verified("session", &[NEW, OLD]) == Some((id.clone(), false)));
            assert!(verified("session", &[OLD, NEW]) == Some((id.clone(), true)));
            assert!(verified("session", &[NEW]).is_none());
            assert!(verified("other", &[OLD]).is_none());
        }
    }

    #[test]
    fn a_new_secret_opens_the_same_session_and_a_login_stays_in_its_slot() {
        let first = anonymous();
        let second = first.redraw().unwrap();
        assert_eq!(first.key("session"), second.key("session"));
        assert_ne!(first.hash(), second.hash());
        let third = second.login(Some([7; 16])).unwrap();
        let slot = |id: &Id| id.key("session").split('}').next().map(str::to_owned);
        assert_eq!(slot(&first), slot(&third));
        assert_ne!(first.key("session"), third.key("session"));
        assert_ne!(second.hash(), third.hash());
        let place = Place::parse(&first.place().text()).unwrap();
        assert_eq!(place.key("session"), first.key("session"));
    }

    #[test]
    fn every_bit_of_a_secret_is_drawn() {
        let (mut ones, mut zeros) = ([0_u8; 32], [0_u8; 32]);
        for _ in 0..64 {
            for (at, byte) in anonymous().secret.into_iter().enumerate() {
                ones[at] |= byte;
                zeros[at] |= !byte;
            }
        }
        assert_eq!((ones, zeros), ([255; 32], [255; 32]));
    }

    #[test]
    fn what_is_no_handle_is_no_place() {
        let text = anonymous().place().text();
        assert_eq!(text.len(), 22);
        for wrong in [&text[1..], "", &(text.clone() + "A"), "\u{e9}", "!"] {
            assert!(Place::parse(wrong).is_none());
        }
    }

    #[test]
    fn parts_of_two_cookies_make_none() {
        let (one, other) = (anonymous(), user());
        let (a, b) = (one.sign("session", OLD), other.sign("session", OLD));
        let bytes = |text: &str| base64::from_url(text.as_bytes()).unwrap();
        let (a, b) = (bytes(&a), bytes(&b));
        let joined = |body: &[u8], mac: &[u8]| base64::url(&[body, mac].concat());
        let refused = |value: &str| Id::verify(value.as_bytes(), "session", &[OLD]).is_none();
        assert!(refused(&joined(&a[..BODY], &b[BODY + USER..])));
        assert!(refused(&joined(&b[..BODY + USER], &a[BODY..])));
        // A user's cookie without its user, an anonymous one with one.
        assert!(refused(&joined(&b[..BODY], &b[BODY + USER..])));
        assert!(refused(&joined(
            &[&a[..BODY], &[7; 16]].concat(),
            &a[BODY..]
        )));
    }

    proptest! {
        #[test]
        fn one_changed_character_is_refused(at in 0usize..108, to in "[A-Za-z0-9_-]") {
            let id = anonymous();
            let value = id.sign("session", OLD);
            let mut forged = value.clone();
            forged.replace_range(at..=at, &to);
            prop_assert_eq!(
                Id::verify(forged.as_bytes(), "session", &[OLD]).is_some(),
                forged == value
            );
        }

        #[test]
        fn what_is_shorter_or_longer_is_refused(cut in 0usize..130, more in "[A-Za-z0-9_=-]{1,40}") {
            let value = user().sign("session", OLD);
            let refused = |value: &str| Id::verify(value.as_bytes(), "session", &[OLD]).is_none();
            prop_assert!(refused(&value[..cut]));
            prop_assert!(refused(&(value.clone() + &more)));
        }

        #[test]
        fn any_bytes_are_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            prop_assert!(Id::verify(&bytes, "session", &[OLD]).is_none());
        }
    }
}
