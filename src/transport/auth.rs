//! Who may open a WebSocket: whoever shows a token that the operator has handed out, or one that is signed with the
//! operator's secret.
//!
//! Checked once, when the connection is opened. Secrets are read once, when the server starts, and compared in
//! constant time.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use hyper::header::HeaderValue;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::util::time::now_secs;

/// How far the clocks of two machines may be apart, in seconds, unless the operator says otherwise.
const SKEW: u64 = 30;

/// The shortest secret that is worth signing with.
const MIN_SECRET: usize = 32;

/// What a client has to show.
#[derive(Debug)]
pub(crate) enum Auth {
    Nothing,
    /// The token with this SHA-256.
    Capability([u8; 32]),
    /// A JSON Web Token.
    Signed(Signed),
}

/// What signed tokens have to be like.
#[derive(Debug)]
pub(crate) struct Signed {
    secret: Vec<u8>,
    issuer: Option<String>,
    audience: Option<String>,
    skew_secs: u64,
}

/// The operator's options, as they were given.
#[derive(Debug, Default)]
pub(crate) struct Options {
    pub(crate) mode: Option<Mode>,
    pub(crate) token_file: Option<PathBuf>,
    pub(crate) token_sha256: Option<String>,
    pub(crate) secret_file: Option<PathBuf>,
    pub(crate) issuer: Option<String>,
    pub(crate) audience: Option<String>,
    pub(crate) skew_secs: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    Capability,
    Signed,
}

/// Why the operator's options cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(
        "websocket auth flags require `--ws-auth capability-token` or `--ws-auth signed-bearer-token`"
    )]
    NoMode,
    #[error("`--ws-token-file` and `--ws-token-sha256` are mutually exclusive")]
    TwoTokens,
    #[error(
        "`--ws-token-file` or `--ws-token-sha256` is required when `--ws-auth capability-token` is set"
    )]
    NoToken,
    #[error("`--ws-shared-secret-file` is required when `--ws-auth signed-bearer-token` is set")]
    NoSecret,
    #[error(
        "`--ws-token-file` and `--ws-token-sha256` require `--ws-auth capability-token`, not `signed-bearer-token`"
    )]
    TokenWithSigned,
    #[error(
        "`--ws-shared-secret-file`, `--ws-issuer`, `--ws-audience`, and `--ws-max-clock-skew-seconds` require \
         `--ws-auth signed-bearer-token`"
    )]
    SecretWithCapability,
    #[error("--ws-token-sha256 must be a 64-character hex SHA-256 digest")]
    Digest,
    #[error("failed to read websocket auth secret {}", .path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("websocket auth secret {} must not be empty", .0.display())]
    Empty(PathBuf),
    #[error("signed websocket bearer secret {} must be at least {MIN_SECRET} bytes", .0.display())]
    Short(PathBuf),
}

/// Why a client is not let in; the text is the answer's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    #[error("missing websocket bearer token")]
    Missing,
    #[error("invalid authorization header")]
    Header,
    #[error("invalid websocket bearer token")]
    Token,
    #[error("invalid websocket jwt")]
    Jwt,
    #[error("expired websocket jwt")]
    Expired,
    #[error("websocket jwt is not valid yet")]
    Early,
    #[error("websocket jwt issuer mismatch")]
    Issuer,
    #[error("websocket jwt audience mismatch")]
    Audience,
}

impl Options {
    /// Refuses options that do not fit together. Reads no file.
    pub(crate) fn check(&self) -> Result<(), Error> {
        let has_token = self.token_file.is_some() || self.token_sha256.is_some();
        let has_secret = self.secret_file.is_some()
            || self.issuer.is_some()
            || self.audience.is_some()
            || self.skew_secs.is_some();
        match self.mode {
            None if has_token || has_secret => Err(Error::NoMode),
            None => Ok(()),
            Some(Mode::Capability) if has_secret => Err(Error::SecretWithCapability),
            Some(Mode::Signed) if has_token => Err(Error::TokenWithSigned),
            Some(Mode::Capability) if self.token_file.is_some() && self.token_sha256.is_some() => {
                Err(Error::TwoTokens)
            }
            Some(Mode::Capability) if !has_token => Err(Error::NoToken),
            Some(Mode::Signed) if self.secret_file.is_none() => Err(Error::NoSecret),
            Some(Mode::Capability) => {
                self.token_sha256.as_deref().map_or(Ok(()), |hex| digest(hex).map(drop))
            }
            Some(Mode::Signed) => Ok(()),
        }
    }

    /// What clients have to show, with the secrets as they are now.
    pub(crate) fn read(self) -> Result<Auth, Error> {
        self.check()?;
        match self.mode {
            None => Ok(Auth::Nothing),
            Some(Mode::Capability) => match (self.token_sha256, self.token_file) {
                (Some(hex), _) => Ok(Auth::Capability(digest(&hex)?)),
                (None, Some(file)) => Ok(Auth::Capability(Sha256::digest(secret(&file)?).into())),
                (None, None) => Err(Error::NoToken),
            },
            Some(Mode::Signed) => {
                let file = self.secret_file.ok_or(Error::NoSecret)?;
                let secret = secret(&file)?.into_bytes();
                if secret.len() < MIN_SECRET {
                    return Err(Error::Short(file));
                }
                let skew_secs = self.skew_secs.unwrap_or(SKEW);
                let (issuer, audience) = (self.issuer, self.audience);
                Ok(Auth::Signed(Signed { secret, issuer, audience, skew_secs }))
            }
        }
    }
}

fn secret(path: &Path) -> Result<String, Error> {
    let text = fs::read_to_string(path)
        .map_err(|source| Error::Unreadable { path: path.to_owned(), source })?;
    match text.trim() {
        "" => Err(Error::Empty(path.to_owned())),
        secret => Ok(secret.to_owned()),
    }
}

fn digest(hex: &str) -> Result<[u8; 32], Error> {
    let mut digest = [0; 32];
    if hex.len() != 64 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(Error::Digest);
    }
    for (index, byte) in digest.iter_mut().enumerate() {
        *byte =
            u8::from_str_radix(&hex[index * 2..index * 2 + 2], 16).map_err(|_| Error::Digest)?;
    }
    Ok(digest)
}

impl Auth {
    /// Whether a client with this `Authorization` header is let in.
    pub(crate) fn check(&self, header: Option<&HeaderValue>) -> Result<(), Refusal> {
        let expected = match self {
            Self::Nothing => return Ok(()),
            Self::Capability(_) | Self::Signed(_) => bearer(header.ok_or(Refusal::Missing)?)?,
        };
        match self {
            Self::Nothing => Ok(()),
            Self::Capability(digest) => {
                let shown: [u8; 32] = Sha256::digest(expected).into();
                if bool::from(shown.ct_eq(digest)) { Ok(()) } else { Err(Refusal::Token) }
            }
            Self::Signed(signed) => signed.check(expected, now_secs()),
        }
    }

    pub(crate) fn is_required(&self) -> bool {
        !matches!(self, Self::Nothing)
    }
}

fn bearer(header: &HeaderValue) -> Result<&str, Refusal> {
    let text = header.to_str().map_err(|_| Refusal::Header)?;
    let (scheme, token) = text.split_once(' ').ok_or(Refusal::Header)?;
    match token.trim() {
        "" => Err(Refusal::Header),
        token if scheme.eq_ignore_ascii_case("bearer") => Ok(token),
        _ => Err(Refusal::Header),
    }
}

#[derive(Deserialize)]
struct Head {
    alg: String,
}

#[derive(Deserialize)]
struct Claims {
    exp: i64,
    nbf: Option<i64>,
    iss: Option<String>,
    aud: Option<Audiences>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audiences {
    One(String),
    Many(Vec<String>),
}

impl Audiences {
    fn include(&self, audience: &str) -> bool {
        match self {
            Self::One(one) => one == audience,
            Self::Many(many) => many.iter().any(|one| one == audience),
        }
    }
}

impl Signed {
    fn check(&self, token: &str, now: i64) -> Result<(), Refusal> {
        let (signed, signature) = token.rsplit_once('.').ok_or(Refusal::Jwt)?;
        let (head, claims) = signed.split_once('.').ok_or(Refusal::Jwt)?;
        if part::<Head>(head)?.alg != "HS256" {
            return Err(Refusal::Jwt);
        }
        let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| Refusal::Jwt)?;
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.secret).map_err(|_| Refusal::Jwt)?;
        mac.update(signed.as_bytes());
        mac.verify_slice(&signature).map_err(|_| Refusal::Jwt)?;
        let claims: Claims = part(claims)?;
        let skew = i64::try_from(self.skew_secs).unwrap_or(i64::MAX);
        if claims.exp.saturating_add(skew) < now {
            return Err(Refusal::Expired);
        }
        if claims.nbf.is_some_and(|from| from.saturating_sub(skew) > now) {
            return Err(Refusal::Early);
        }
        if self.issuer.is_some() && self.issuer != claims.iss {
            return Err(Refusal::Issuer);
        }
        match &self.audience {
            Some(audience) if !claims.aud.is_some_and(|all| all.include(audience)) => {
                Err(Refusal::Audience)
            }
            Some(_) | None => Ok(()),
        }
    }
}

fn part<T: DeserializeOwned>(text: &str) -> Result<T, Refusal> {
    let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| Refusal::Jwt)?;
    serde_json::from_slice(&bytes).map_err(|_| Refusal::Jwt)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_000_000;

    fn token(secret: &[u8], head: &str, claims: &str) -> String {
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(head), URL_SAFE_NO_PAD.encode(claims));
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
        mac.update(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
    }

    #[track_caller]
    fn check(claims: &str, expected: Result<(), Refusal>) {
        let signed = Signed {
            secret: vec![7; 32],
            issuer: Some("me".to_owned()),
            audience: Some("you".to_owned()),
            skew_secs: SKEW,
        };
        let shown = token(&[7; 32], r#"{"alg":"HS256"}"#, claims);
        assert_eq!(signed.check(&shown, NOW), expected, "{claims}");
    }

    #[test]
    fn the_claims_of_a_token_are_held() {
        check(r#"{"exp":1000060,"iss":"me","aud":"you"}"#, Ok(()));
        check(r#"{"exp":1000060,"iss":"me","aud":["them","you"]}"#, Ok(()));
        check(r#"{"exp":999970,"nbf":1000030,"iss":"me","aud":"you"}"#, Ok(()));
        check(r#"{"exp":999969,"iss":"me","aud":"you"}"#, Err(Refusal::Expired));
        check(r#"{"exp":1000060,"nbf":1000031,"iss":"me","aud":"you"}"#, Err(Refusal::Early));
        check(r#"{"exp":1000060,"aud":"you"}"#, Err(Refusal::Issuer));
        check(r#"{"exp":1000060,"iss":"me"}"#, Err(Refusal::Audience));
        check(r#"{"iss":"me","aud":"you"}"#, Err(Refusal::Jwt));
        check(r#"{"exp":"soon","iss":"me","aud":"you"}"#, Err(Refusal::Jwt));
        check(r#"{"exp":9223372036854775807,"iss":"me","aud":"you"}"#, Ok(()));
    }

    #[test]
    fn only_the_secret_signs() {
        let signed = Signed { secret: vec![7; 32], issuer: None, audience: None, skew_secs: SKEW };
        let claims = r#"{"exp":1000060}"#;
        let good = token(&[7; 32], r#"{"alg":"HS256"}"#, claims);
        assert_eq!(signed.check(&good, NOW), Ok(()));
        let other = token(&[8; 32], r#"{"alg":"HS256"}"#, claims);
        let unsigned = token(&[7; 32], r#"{"alg":"none"}"#, claims);
        for bad in [
            &other,
            &unsigned,
            &good[..good.len() - 1],
            "a.b",
            "a.b.c.d",
            "",
            "..",
            &format!("{good}."),
        ] {
            assert_eq!(signed.check(bad, NOW), Err(Refusal::Jwt), "{bad}");
        }
    }

    #[test]
    fn options_have_to_fit_together() {
        let refused = |options: Options| options.check().unwrap_err().to_string();
        let file = || Some(PathBuf::from("x"));
        let capability = || Options { mode: Some(Mode::Capability), ..Options::default() };
        let signed = || Options { mode: Some(Mode::Signed), ..Options::default() };
        assert!(Options::default().check().is_ok());
        assert!(
            refused(Options { token_file: file(), ..Options::default() })
                .starts_with("websocket auth flags")
        );
        assert!(refused(capability()).starts_with("`--ws-token-file` or"));
        assert!(refused(signed()).starts_with("`--ws-shared-secret-file` is required"));
        assert!(
            refused(Options { token_file: file(), ..signed() })
                .ends_with("not `signed-bearer-token`")
        );
        assert!(
            refused(Options { skew_secs: Some(1), ..capability() })
                .ends_with("`--ws-auth signed-bearer-token`")
        );
        let both =
            Options { token_file: file(), token_sha256: Some("0".repeat(64)), ..capability() };
        assert!(refused(both).ends_with("mutually exclusive"));
        for hex in ["0", "g".repeat(64).as_str(), "0".repeat(63).as_str(), "é".repeat(32).as_str()]
        {
            let options = Options { token_sha256: Some(hex.to_owned()), ..capability() };
            assert!(refused(options).contains("64-character hex"), "{hex}");
        }
    }

    #[test]
    fn a_header_names_its_scheme_and_a_token() {
        let shown = |text: &str| bearer(&HeaderValue::from_str(text).unwrap()).map(str::to_owned);
        assert_eq!(shown("Bearer abc").as_deref(), Ok("abc"));
        assert_eq!(shown("bEARER   abc ").as_deref(), Ok("abc"));
        for bad in ["Bearer", "Bearer ", "Basic abc", "abc", ""] {
            assert_eq!(shown(bad), Err(Refusal::Header), "{bad}");
        }
        let binary = HeaderValue::from_bytes(b"Bearer \xff").unwrap();
        assert_eq!(bearer(&binary), Err(Refusal::Header));
    }
}
