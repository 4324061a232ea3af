//! CSRF tokens: an HMAC bound to the session's secret, so that a token ends with the id it was made for, and a mask
//! drawn for each response, so that none comes twice and a compressed page gives nothing away (BREACH).

use hmac::Mac;

use super::id::Id;
use crate::base64;
use crate::error::EdgeError;
use crate::host::entropy;

const HALF: usize = 32;

/// base64url of a mask and, under it, the HMAC.
pub(crate) fn token(id: &Id, name: &str) -> Result<String, EdgeError> {
    let mut token = [0; 2 * HALF];
    let (mask, masked) = token.split_at_mut(HALF);
    entropy(mask)?;
    if let Some(mac) = id.csrf_mac(name) {
        let mac = mac.finalize().into_bytes();
        for ((to, mask), byte) in masked.iter_mut().zip(mask).zip(mac) {
            *to = byte ^ *mask;
        }
    }
    Ok(base64::url(&token))
}

/// Whether it was made for this id, in constant time.
pub(crate) fn verify(id: &Id, name: &str, token: &str) -> bool {
    let (Some(decoded), Some(mac)) = (base64::from_url(token.as_bytes()), id.csrf_mac(name)) else {
        return false;
    };
    let Some((mask, masked)) = decoded.split_at_checked(HALF) else {
        return false;
    };
    let mut said = [0; HALF];
    for ((to, mask), byte) in said.iter_mut().zip(mask).zip(masked) {
        *to = mask ^ byte;
    }
    masked.len() == HALF && mac.verify_slice(&said).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_holds_for_its_session_in_its_namespace_and_never_looks_the_same() {
        let id = Id::draw(None).unwrap();
        let (one, two) = (token(&id, "s").unwrap(), token(&id, "s").unwrap());
        assert_ne!(one, two);
        assert!(verify(&id, "s", &one) && verify(&id, "s", &two));
        let rotated = id.redraw().unwrap();
        assert!(!verify(&rotated, "s", &one) && !verify(&id, "t", &one));
    }

    #[test]
    fn what_is_no_token_is_refused() {
        let id = Id::draw(None).unwrap();
        let good = token(&id, "s").unwrap();
        for at in 0..good.len() {
            assert!(!verify(&id, "s", &good[..at]));
            let mut forged = good.clone().into_bytes();
            forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
            assert!(!verify(&id, "s", std::str::from_utf8(&forged).unwrap()));
        }
        assert!(!verify(&id, "s", &(good + "A")) && !verify(&id, "s", "\u{e9}"));
    }
}
