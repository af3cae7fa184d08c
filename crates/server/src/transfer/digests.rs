//! Digests that come with an upload: RFC 9530's `Content-Digest` and `Repr-Digest`.

use axum::http::{HeaderMap, HeaderName};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use modelry_core::digest::Sha256;
use modelry_core::{Error, Result};

/// The two are the same here, as a body with a `Content-Encoding` is refused.
const HEADERS: [HeaderName; 2] =
    [HeaderName::from_static("content-digest"), HeaderName::from_static("repr-digest")];

/// The algorithm that is verified. Others are left out, as the RFC has it.
const ALGORITHM: &str = "sha-256";

/// The digests that a client says its bytes have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Announced(Vec<(HeaderName, Sha256)>);

impl Announced {
    /// Reads the headers. Fails with `Invalid` where one of them announces a SHA-256 that is not one.
    pub(super) fn from_headers(headers: &HeaderMap) -> Result<Self> {
        let mut announced = Vec::new();
        for name in HEADERS {
            for value in headers.get_all(&name) {
                let digest =
                    value.to_str().map_err(|_| malformed(&name)).and_then(|text| sha256(&name, text))?;
                announced.extend(digest.map(|digest| (name.clone(), digest)));
            }
        }
        Ok(Self(announced))
    }

    /// Fails with `Invalid` where the bytes are not what was announced.
    pub(super) fn verify(&self, received: Sha256) -> Result<()> {
        match self.0.iter().find(|(_, announced)| *announced != received) {
            None => Ok(()),
            Some((name, announced)) => Err(Error::invalid(format!(
                "the bytes received have the sha-256 {received}, but {name} announces {announced}: nothing was stored"
            ))),
        }
    }
}

/// The SHA-256 in a dictionary such as `sha-256=:<base64>:, sha-512=:<base64>:`. Base64 has no comma and no `;`.
fn sha256(name: &HeaderName, dictionary: &str) -> Result<Option<Sha256>> {
    let mut found = None;
    for member in dictionary.split(',') {
        let (key, value) = member.split_once('=').ok_or_else(|| malformed(name))?;
        if key.trim() == ALGORITHM {
            let value = value.split(';').next().unwrap_or_default().trim();
            let text = value.strip_prefix(':').and_then(|value| value.strip_suffix(':'));
            let bytes =
                text.and_then(|text| BASE64_STANDARD.decode(text).ok()).ok_or_else(|| malformed(name))?;
            found = Some(Sha256::from_slice(&bytes).map_err(|_| malformed(name))?);
        }
    }
    Ok(found)
}

fn malformed(name: &HeaderName) -> Error {
    Error::invalid(format!("the header {name} is malformed: it has the form `sha-256=:<base64>:`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The SHA-256 of nothing.
    const EMPTY: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    const EMPTY_HEX: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn announced(name: HeaderName, text: &str) -> Result<Announced> {
        Announced::from_headers(&HeaderMap::from_iter([(name, text.parse().unwrap())]))
    }

    #[test]
    fn a_digest_is_read_from_either_header() {
        for name in HEADERS {
            for text in [
                format!("sha-256=:{EMPTY}:"),
                format!("sha-512=:AAAA:, sha-256=:{EMPTY}:;x=1"),
                format!("unknown=1 , sha-256 = :{EMPTY}: "),
            ] {
                let expected = vec![(name.clone(), EMPTY_HEX.parse().unwrap())];
                assert_eq!(announced(name.clone(), &text).unwrap(), Announced(expected), "{text}");
            }
        }
    }

    #[test]
    fn other_algorithms_announce_nothing() {
        assert_eq!(
            announced(HEADERS[0].clone(), "md5=:AAAA:, sha-512=:AAAA:").unwrap(),
            Announced::default()
        );
    }

    #[test]
    fn a_malformed_digest_is_refused() {
        for text in
            ["", "sha-256", "sha-256=AAAA", "sha-256=:AAAA:", "sha-256=:???:", "sha-256=::", "sha-256=:"]
        {
            let error = announced(HEADERS[0].clone(), text).expect_err(text);
            assert!(error.message().starts_with("the header content-digest is malformed"), "{text}");
        }
    }

    #[test]
    fn every_announced_digest_has_to_match() {
        let empty: Sha256 = EMPTY_HEX.parse().unwrap();
        let other = Sha256([1; 32]);
        let [content, repr] = HEADERS;

        assert!(Announced(vec![(content.clone(), empty), (repr.clone(), empty)]).verify(empty).is_ok());
        assert!(Announced(vec![(content.clone(), empty), (repr, other)]).verify(empty).is_err());
        assert!(Announced(vec![(content, empty)]).verify(other).is_err());
        assert!(Announced::default().verify(other).is_ok());
    }
}
