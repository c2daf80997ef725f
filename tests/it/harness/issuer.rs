//! A stand-in for the service that signs users in, and for what they sign in to beside it: the backend of ChatGPT, and
//! a server of the Model Context Protocol.
//!
//! It takes each refresh token once, as the real one does.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::{BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::OpenOptionsExt as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::model::{Gate, answer, read};
use super::{Home, Request};

const HOUR: i64 = 3600;

/// The running stand-in.
pub(crate) struct Issuer {
    address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    asked: Mutex<Vec<(String, Request)>>,
    answers: Mutex<HashMap<String, (u16, Value)>>,
    gate: Mutex<Option<Gate>>,
    issued: Mutex<u32>,
    /// The token that is good now.
    access: Mutex<String>,
    stop: AtomicBool,
}

/// A token of somebody; `left` is how long it is good, in seconds.
pub(crate) fn token(left: i64, number: u32) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let claims = json!({"email": "user@example.com", "exp": i64::try_from(now).unwrap() + left, "jti": number,
        "https://api.openai.com/auth": {"chatgpt_plan_type": "pro", "chatgpt_account_id": "org-1",
            "chatgpt_user_id": "user-1"}});
    format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims.to_string()))
}

impl Issuer {
    /// Starts it, and lets the servers of a home know.
    pub(crate) fn of(home: &Home) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let issuer = Self { address: listener.local_addr().unwrap(), state: Arc::default() };
        home.set_variable("CODEX_APP_SERVER_LOGIN_ISSUER", &issuer.url());
        let state = Arc::clone(&issuer.state);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if state.stop.load(Ordering::SeqCst) {
                    return;
                }
                let state = Arc::clone(&state);
                // A server under test may hang up at any time.
                thread::spawn(move || serve(&state, stream).ok());
            }
        });
        issuer
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Answers a path, or a kind of grant, with this.
    pub(crate) fn set(&self, what: &str, status: u16, body: Value) {
        self.state.answers.lock().unwrap().insert(what.to_owned(), (status, body));
    }

    /// Keeps renewals waiting.
    pub(crate) fn hold(&self, gate: &Gate) {
        *self.state.gate.lock().unwrap() = Some(gate.clone());
    }

    /// The bodies of what was asked at a path.
    pub(crate) fn asked(&self, path: &str) -> Vec<BTreeMap<String, String>> {
        let asked = self.state.asked.lock().unwrap();
        asked.iter().filter(|(at, _)| at == path).map(|(_, request)| fields(request)).collect()
    }

    /// The grants of one kind that were asked for.
    pub(crate) fn grants(&self, kind: &str) -> Vec<BTreeMap<String, String>> {
        let mut grants = self.asked("/oauth/token");
        grants.retain(|grant| grant["grant_type"].ends_with(kind));
        grants
    }

    /// Signs a home in, with a token that is good for so many seconds.
    pub(crate) fn sign_in(&self, home: &Home, left: i64) {
        let stored = json!({"auth_mode": "chatgpt", "OPENAI_API_KEY": null, "last_refresh": "2026-11-21T08:03:28Z",
            "tokens": {"id_token": token(left, 0), "access_token": token(left, 0), "refresh_token": "refresh-0",
                "account_id": "org-1"}});
        let path = home.home().join("auth.json");
        let mut file = fs::File::options()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(path)
            .unwrap();
        file.write_all(stored.to_string().as_bytes()).unwrap();
    }
}

impl Drop for Issuer {
    fn drop(&mut self) {
        self.state.stop.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
    }
}

/// What `auth.json` of a home holds.
pub(crate) fn stored(home: &Home) -> Value {
    serde_json::from_slice(&fs::read(home.home().join("auth.json")).unwrap()).unwrap()
}

/// What a browser is answered at an address of this machine.
pub(crate) fn browse(url: &str) -> String {
    let (host, target) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    write!(stream, "GET /{target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// The members of a form, or of a JSON object of texts.
fn fields(request: &Request) -> BTreeMap<String, String> {
    let Value::Object(members) = &request.body else { return query(&request.raw) };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    members.iter().map(|(key, value)| (key.clone(), text(value))).collect()
}

/// The parameters of a query.
pub(crate) fn query(text: &str) -> BTreeMap<String, String> {
    let pairs = text.split('&').filter_map(|pair| pair.split_once('='));
    pairs.map(|(key, value)| (key.to_owned(), decoded(value))).collect()
}

fn decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.bytes());
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            byte => byte,
        });
    }
    String::from_utf8(bytes).unwrap()
}

fn serve(state: &State, stream: TcpStream) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    while let Some((line, request)) = read(&mut reader)? {
        let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
        state.asked.lock().unwrap().push((path.clone(), request.clone()));
        let host = format!("http://{}", request.headers["host"]);
        let (status, body) = match path.as_str() {
            "/mcp" => state.tools(&request),
            _ => state.answer(&path, &fields(&request)).unwrap_or_else(|| described(&path, &host)),
        };
        let kind = ("content-type", "application/json".to_owned());
        let challenge =
            format!("Bearer resource_metadata=\"{host}/.well-known/oauth-protected-resource/mcp\"");
        let headers = [kind, ("www-authenticate", challenge)];
        let headers = if status == 401 { &headers[..] } else { &headers[..1] };
        answer(&mut stream, status, headers, body.to_string().as_bytes())?;
    }
    Ok(())
}

/// How to sign in to the server of tools, as services describe it.
fn described(path: &str, host: &str) -> (u16, Value) {
    if path.starts_with("/.well-known/oauth-protected-resource") {
        let resource = format!("{host}/mcp");
        return (200, json!({"resource": resource, "authorization_servers": [host]}));
    }
    if path.starts_with("/.well-known/oauth-authorization-server") {
        let at = |path: &str| format!("{host}{path}");
        return (
            200,
            json!({"issuer": host, "authorization_endpoint": at("/authorize"),
            "token_endpoint": at("/oauth/token"), "registration_endpoint": at("/register"),
            "response_types_supported": ["code"], "code_challenge_methods_supported": ["S256"]}),
        );
    }
    match path {
        "/register" => (
            201,
            json!({"client_id": "client-1", "redirect_uris": [], "token_endpoint_auth_method": "none"}),
        ),
        _ => (404, json!({"error": "nothing here"})),
    }
}

impl State {
    fn answer(&self, path: &str, fields: &BTreeMap<String, String>) -> Option<(u16, Value)> {
        let grant = fields.get("grant_type").map(String::as_str).unwrap_or_default();
        let set = [path, grant].map(|what| self.answers.lock().unwrap().get(what).cloned());
        if let Some(set) = set.into_iter().flatten().next() {
            return Some(set);
        }
        Some(match (path, grant) {
            ("/oauth/token", "authorization_code") => (200, self.issue()),
            ("/oauth/token", "refresh_token") => {
                let gate = self.gate.lock().unwrap().clone();
                if let Some(gate) = gate {
                    gate.pass();
                }
                let current = format!("refresh-{}", *self.issued.lock().unwrap());
                match fields["refresh_token"] == current {
                    true => (200, self.issue()),
                    false => {
                        (401, json!({"error": {"code": "refresh_token_reused", "message": "used"}}))
                    }
                }
            }
            ("/oauth/token", _) => (200, json!({"access_token": "sk-exchanged"})),
            ("/oauth/revoke", _) => (200, json!({})),
            ("/api/accounts/deviceauth/usercode", _) => {
                (200, json!({"device_auth_id": "dev-1", "user_code": "ABCD-1234", "interval": "0"}))
            }
            ("/api/accounts/deviceauth/token", _) => (
                200,
                json!({"authorization_code": "code-1", "code_challenge": "c", "code_verifier": "v"}),
            ),
            _ => return None,
        })
    }

    /// What the server of tools says, to those who are signed in.
    fn tools(&self, request: &Request) -> (u16, Value) {
        let expected = format!("Bearer {}", *self.access.lock().unwrap());
        if request.headers.get("authorization") != Some(&expected) {
            return (401, json!({}));
        }
        let result = match request.body["method"].as_str() {
            Some("initialize") => {
                json!({"protocolVersion": "2025-06-18", "capabilities": {"tools": {}},
                "serverInfo": {"name": "web", "version": "1"}})
            }
            Some("tools/list") => {
                json!({"tools": [{"name": "echo", "inputSchema": {"type": "object"}}]})
            }
            _ => return (202, Value::Null),
        };
        (200, json!({"jsonrpc": "2.0", "id": request.body["id"], "result": result}))
    }

    fn issue(&self) -> Value {
        let mut issued = self.issued.lock().unwrap();
        *issued += 1;
        let access = token(HOUR, *issued);
        self.access.lock().unwrap().clone_from(&access);
        json!({"id_token": access, "access_token": access, "token_type": "Bearer", "expires_in": HOUR,
            "refresh_token": format!("refresh-{issued}")})
    }
}
