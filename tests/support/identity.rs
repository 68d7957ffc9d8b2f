//! A provider of identities on this machine, which signs what it is told to.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair,
};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

pub const CLIENT: &str = "laneway";
pub const SECRET: &str = "a secret of the client";

/// By what a token is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signed {
    /// The EC key that is published.
    Ec,
    /// The RSA key that is published.
    Rsa,
    /// Another EC key, which says that it is the published one.
    Forged,
    /// A key that is not published, by its own name.
    Unknown,
    /// The client's secret.
    Secret,
    /// Nothing.
    Nothing,
}

/// Changes the claims of the next tokens.
pub type Twist = Box<dyn Fn(&mut Map<String, Value>) + Send>;

struct Inner {
    url: String,
    codes: HashMap<String, Grant>,
    made: u32,
    signed: Signed,
    twist: Twist,
    is_moved: bool,
    exchanges: u32,
}

struct Grant {
    challenge: String,
    back: String,
    claims: Map<String, Value>,
}

struct Keys {
    ec: EcdsaKeyPair,
    forged: EcdsaKeyPair,
    rsa: RsaKeyPair,
}

/// The provider; its thread ends with the process.
pub struct Identity {
    pub url: String,
    inner: Arc<Mutex<Inner>>,
}

fn ec() -> EcdsaKeyPair {
    let (algorithm, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
    let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
    EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap()
}

impl Identity {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let inner = Arc::new(Mutex::new(Inner {
            url: url.clone(),
            codes: HashMap::new(),
            made: 0,
            signed: Signed::Ec,
            twist: Box::new(|_| {}),
            is_moved: false,
            exchanges: 0,
        }));
        let keys = Keys {
            ec: ec(),
            forged: ec(),
            rsa: RsaKeyPair::from_pkcs8(include_bytes!("identity-rsa.pk8")).unwrap(),
        };
        let its = Arc::clone(&inner);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                // Who breaks a connection off is not this one's affair.
                let _ = answer(stream.unwrap(), &its, &keys);
            }
        });
        Self { url, inner }
    }

    pub fn signs(&self, signed: Signed) {
        self.inner.lock().unwrap().signed = signed;
    }

    /// Changes the claims of what is signed from now on.
    pub fn twists(&self, twist: impl Fn(&mut Map<String, Value>) + Send + 'static) {
        self.inner.lock().unwrap().twist = Box::new(twist);
    }

    /// Answers what is asked about itself by a redirect.
    pub fn moves(&self) {
        self.inner.lock().unwrap().is_moved = true;
    }

    /// How often a code was exchanged, well or not.
    pub fn exchanges(&self) -> u32 {
        self.inner.lock().unwrap().exchanges
    }

    /// A person signs in here, where a service sent them: the path and query by which they come back.
    pub fn signs_in(&self, sent: &str, email: &str) -> String {
        let (path, query) = sent.split_once('?').unwrap();
        assert_eq!(path, format!("{}/authorize", self.url));
        let asked: HashMap<String, String> = form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect();
        let get = |name: &str| asked[name].as_str();
        assert_eq!((get("response_type"), get("client_id")), ("code", CLIENT));
        assert_eq!(get("code_challenge_method"), "S256");
        assert_eq!(get("scope"), "openid email");
        assert!(get("state").len() > 40 && get("nonce").len() > 40);
        assert_ne!(get("state"), get("nonce"));
        let now = now();
        let claims = json!({
            "iss": self.url,
            "sub": "subject-1",
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": get("nonce"),
            "email": email,
            "email_verified": true,
        });
        let mut inner = self.inner.lock().unwrap();
        inner.made += 1;
        let code = format!("code-{}", inner.made);
        let back = get("redirect_uri").to_owned();
        let (_, tail) = back.split_once("://").unwrap();
        let path = tail.split_once('/').unwrap().1.to_owned();
        inner.codes.insert(
            code.clone(),
            Grant {
                challenge: get("code_challenge").to_owned(),
                back,
                claims: claims.as_object().unwrap().clone(),
            },
        );
        format!("/{path}?code={code}&state={}", get("state"))
    }
}

pub fn now() -> u64 {
    let since = std::time::SystemTime::UNIX_EPOCH.elapsed();
    since.unwrap().as_secs()
}

fn answer(stream: TcpStream, inner: &Mutex<Inner>, keys: &Keys) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line == "\r\n" {
            break;
        }
        lines.push(line.trim_end().to_owned());
    }
    let header = |name: &str| {
        let mut pairs = lines.iter().filter_map(|line| line.split_once(": "));
        let found = pairs.find(|(its, _)| its.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value)
    };
    let mut body = vec![0; header("content-length").parse().unwrap_or(0)];
    reader.read_exact(&mut body)?;
    let mut inner = inner.lock().unwrap();
    let url = inner.url.clone();
    let (status, body) = match lines[0].split(' ').nth(1).unwrap_or_default() {
        _ if inner.is_moved => ("302 Found\r\nlocation: https://127.0.0.1:1/", json!({})),
        "/.well-known/openid-configuration" => ("200 OK", metadata(&url)),
        "/keys" => ("200 OK", published(keys)),
        "/token" => {
            inner.exchanges += 1;
            match token(&mut inner, keys, header("authorization"), &body) {
                Ok(token) => ("200 OK", token),
                Err(why) => ("400 Bad Request", json!({ "error": why })),
            }
        }
        other => panic!("nobody asks for {other}"),
    };
    let body = body.to_string();
    let mut stream = stream;
    write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         connection: close\r\n\r\n{body}",
        body.len()
    )
}

fn metadata(url: &str) -> Value {
    json!({
        "issuer": url,
        "authorization_endpoint": format!("{url}/authorize"),
        "token_endpoint": format!("{url}/token"),
        "jwks_uri": format!("{url}/keys"),
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256", "ES256"],
    })
}

fn published(keys: &Keys) -> Value {
    let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let point = keys.ec.public_key().as_ref();
    let rsa: ring::rsa::PublicKeyComponents<Vec<u8>> = keys.rsa.public().into();
    json!({ "keys": [
        {
            "kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": "ec",
            "x": text(&point[1..33]), "y": text(&point[33..]),
        },
        {
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": "rsa",
            "n": text(&rsa.n),
            "e": text(&rsa.e),
        },
    ] })
}

fn token(inner: &mut Inner, keys: &Keys, by: &str, body: &[u8]) -> Result<Value, &'static str> {
    let given: HashMap<String, String> = form_urlencoded::parse(body).into_owned().collect();
    let get = |name: &str| given.get(name).map_or("", String::as_str);
    // Each half is form-encoded before it is put together (RFC 6749, 2.3.1).
    let secret: String = form_urlencoded::byte_serialize(SECRET.as_bytes()).collect();
    let expected = format!("Basic {}", STANDARD.encode(format!("{CLIENT}:{secret}")));
    if by != expected {
        return Err("invalid_client");
    }
    // A code works once.
    let grant = inner.codes.remove(get("code")).ok_or("invalid_grant")?;
    let verifier = URL_SAFE_NO_PAD.encode(Sha256::digest(get("code_verifier").as_bytes()));
    if verifier != grant.challenge || get("redirect_uri") != grant.back {
        return Err("invalid_grant");
    }
    let mut claims = grant.claims;
    (inner.twist)(&mut claims);
    Ok(json!({
        "access_token": "an access token",
        "token_type": "Bearer",
        "id_token": sign(&claims, inner.signed, keys),
    }))
}

fn sign(claims: &Map<String, Value>, signed: Signed, keys: &Keys) -> String {
    let header = match signed {
        Signed::Ec | Signed::Forged => json!({ "alg": "ES256", "kid": "ec" }),
        Signed::Rsa => json!({ "alg": "RS256", "kid": "rsa" }),
        Signed::Unknown => json!({ "alg": "ES256", "kid": "other" }),
        Signed::Secret => json!({ "alg": "HS256" }),
        Signed::Nothing => json!({ "alg": "none" }),
    };
    let text = |value: &[u8]| URL_SAFE_NO_PAD.encode(value);
    let claims = serde_json::to_vec(claims).unwrap();
    let input = format!("{}.{}", text(header.to_string().as_bytes()), text(&claims));
    let random = SystemRandom::new();
    let by_ec = |key: &EcdsaKeyPair| {
        key.sign(&random, input.as_bytes())
            .unwrap()
            .as_ref()
            .to_vec()
    };
    let signature = match signed {
        Signed::Ec => by_ec(&keys.ec),
        Signed::Forged | Signed::Unknown => by_ec(&keys.forged),
        Signed::Rsa => {
            let mut signature = vec![0; keys.rsa.public().modulus_len()];
            let (how, input) = (&RSA_PKCS1_SHA256, input.as_bytes());
            keys.rsa.sign(how, &random, input, &mut signature).unwrap();
            signature
        }
        Signed::Secret => {
            let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, SECRET.as_bytes());
            ring::hmac::sign(&key, input.as_bytes()).as_ref().to_vec()
        }
        Signed::Nothing => Vec::new(),
    };
    format!("{input}.{}", text(&signature))
}
