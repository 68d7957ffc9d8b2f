//! Browsers for tests: Chromium without a window, through ChromeDriver and the protocol of WebDriver.
//!
//! In: both programs, where this machine has them. Out: windows, each with a profile of its own.
//! Invariant: a click is a click of a mouse at a place that is seen, as of a person; each window ends with its
//! value, and the driver with the last. Where the programs are missing, each test says by its name that it was
//! skipped; with `LANEWAY_BROWSER=required` it fails.

use std::io::{BufRead as _, BufReader, Write as _};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use base64::Engine as _;
use serde_json::{Value, json};

/// How a part of a window is named in the protocol.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// How long something may take to be seen.
const SOON: Duration = Duration::from_secs(20);

/// What starts windows.
pub struct Driver {
    child: Child,
    url: String,
    chromium: PathBuf,
    /// Profiles, which end with it.
    profiles: tempfile::TempDir,
}

/// A window of a browser.
pub struct Browser<'d> {
    url: String,
    /// Of the service that is looked at.
    pub site: String,
    /// It ends before its driver does.
    driver: PhantomData<&'d Driver>,
}

fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut places = std::env::split_paths(&path).map(|folder| folder.join(name));
    places.find(|place| place.exists())
}

impl Driver {
    /// Starts one; nothing where there is none. Says which test is skipped then.
    pub fn start(test: &str) -> Option<Self> {
        let (Some(driver), Some(chromium)) = (program("chromedriver"), program("chromium")) else {
            let is_required =
                std::env::var_os("LANEWAY_BROWSER").is_some_and(|it| it == "required");
            assert!(
                !is_required,
                "`{test}` needs Chromium and ChromeDriver, and one of them is missing"
            );
            // Not by a macro, whose words are kept from who runs the tests when they pass.
            let words =
                format!("skipped: {test} (this machine has no Chromium with ChromeDriver)\n");
            std::io::stderr().write_all(words.as_bytes()).unwrap();
            return None;
        };
        let mut child = Command::new(driver)
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stdout.take().unwrap()).lines();
        let port = loop {
            let line = said.next().expect("it says where it listens").unwrap();
            if let Some((_, port)) = line.split_once("started successfully on port ") {
                break port.trim_end_matches('.').to_owned();
            }
        };
        Some(Self {
            child,
            url: format!("http://127.0.0.1:{port}"),
            chromium,
            profiles: tempfile::tempdir().unwrap(),
        })
    }

    /// A new window on a service, of somebody who was never there.
    pub fn browser(&self, site: &str) -> Browser<'_> {
        self.browser_with(site, json!({}))
    }

    /// A new window that runs no scripts.
    pub fn browser_without_scripts(&self, site: &str) -> Browser<'_> {
        let off = json!({ "profile.managed_default_content_settings.javascript": 2 });
        self.browser_with(site, off)
    }

    fn browser_with(&self, site: &str, preferences: Value) -> Browser<'_> {
        let profile = tempfile::tempdir_in(self.profiles.path()).unwrap().keep();
        let arguments = [
            "--headless=new",
            // Tests may run as root, where a sandbox cannot be had.
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--window-size=1280,900",
        ];
        let mut arguments: Vec<String> = arguments.map(str::to_owned).to_vec();
        arguments.push(format!("--user-data-dir={}", profile.display()));
        let wanted = json!({
            "capabilities": { "alwaysMatch": { "browserName": "chrome", "goog:chromeOptions": {
                "binary": self.chromium, "args": arguments, "prefs": preferences,
            } } }
        });
        let made = call("POST", &format!("{}/session", self.url), Some(&wanted)).unwrap();
        Browser {
            url: format!(
                "{}/session/{}",
                self.url,
                made["sessionId"].as_str().unwrap()
            ),
            site: site.to_owned(),
            driver: PhantomData,
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks the driver. What is not there, or not to be clicked, is an error in words.
fn call(method: &str, url: &str, body: Option<&Value>) -> Result<Value, String> {
    let config = ureq::Agent::config_builder()
        .http_status_as_error(false)
        .proxy(None)
        .timeout_global(Some(Duration::from_secs(120)))
        .build();
    let agent = ureq::Agent::from(config);
    let answered = match (method, body) {
        ("GET", _) => agent.get(url).call(),
        ("DELETE", _) => agent.delete(url).call(),
        (_, body) => {
            let text = body.map_or_else(|| "{}".to_owned(), Value::to_string);
            agent.post(url).content_type("application/json").send(text)
        }
    };
    let mut answer = answered.map_err(|error| error.to_string())?;
    let text = answer
        .body_mut()
        .with_config()
        .limit(64 << 20)
        .read_to_string();
    let json: Value = serde_json::from_str(&text.unwrap()).unwrap();
    match answer.status().is_success() {
        true => Ok(json["value"].clone()),
        false => Err(json["value"]["message"]
            .as_str()
            .unwrap_or("it failed")
            .to_owned()),
    }
}

impl Browser<'_> {
    fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> Result<Value, String> {
        call(method, &format!("{}{path}", self.url), body)
    }

    /// Opens a page of the service.
    #[track_caller]
    pub fn open(&self, path: &str) {
        let url = format!("{}{path}", self.site);
        self.ask("POST", "/url", Some(&json!({ "url": url })))
            .unwrap();
    }

    /// Where it is now, behind the name of the service.
    pub fn path(&self) -> String {
        let url = self.ask("GET", "/url", None).unwrap();
        let url = url.as_str().unwrap();
        url.strip_prefix(&self.site).unwrap_or(url).to_owned()
    }

    pub fn title(&self) -> String {
        let title = self.ask("GET", "/title", None).unwrap();
        title.as_str().unwrap().to_owned()
    }

    fn find(&self, what: &str) -> Result<String, String> {
        let how = if what.starts_with('/') {
            "xpath"
        } else {
            "css selector"
        };
        let found = self.ask(
            "POST",
            "/element",
            Some(&json!({ "using": how, "value": what })),
        )?;
        Ok(found[ELEMENT].as_str().unwrap().to_owned())
    }

    /// Tries until it works; what was last in the way is the end of a test that waited in vain.
    #[track_caller]
    fn soon<T>(&self, what: &str, mut tries: impl FnMut() -> Result<T, String>) -> T {
        let began = Instant::now();
        loop {
            match tries() {
                Ok(done) => return done,
                Err(why) if began.elapsed() > SOON => {
                    panic!("{what}: {why}\nat {}:\n{}", self.path(), self.text("body"))
                }
                Err(_) => std::thread::sleep(Duration::from_millis(50)),
            }
        }
    }

    /// Clicks a part: by a selector of CSS, or a path of XML.
    #[track_caller]
    pub fn click(&self, what: &str) {
        self.soon(what, || {
            let part = self.find(what)?;
            self.ask("POST", &format!("/element/{part}/click"), None)
        });
    }

    /// Clicks the button with these words.
    #[track_caller]
    pub fn press(&self, words: &str) {
        self.click(&format!("//button[normalize-space()='{words}']"));
    }

    /// Types into a field, in place of what it has.
    #[track_caller]
    pub fn fill(&self, what: &str, text: &str) {
        self.soon(what, || {
            let part = self.find(what)?;
            self.ask("POST", &format!("/element/{part}/clear"), None)?;
            let typed = json!({ "text": text });
            self.ask("POST", &format!("/element/{part}/value"), Some(&typed))
        });
    }

    /// Types keys to whatever has the focus.
    pub fn keys(&self, keys: &str) {
        let each = keys.chars().flat_map(|key| {
            [
                json!({ "type": "keyDown", "value": key }),
                json!({ "type": "keyUp", "value": key }),
            ]
        });
        let actions = each.collect::<Vec<_>>();
        let actions =
            json!({ "actions": [{ "type": "key", "id": "keyboard", "actions": actions }] });
        self.ask("POST", "/actions", Some(&actions)).unwrap();
    }

    /// The text of a part, as it is seen; of the page that comes, where one is coming.
    #[track_caller]
    pub fn text(&self, what: &str) -> String {
        let part = self
            .find(what)
            .unwrap_or_else(|why| panic!("{what}: {why}"));
        let text = self
            .ask("GET", &format!("/element/{part}/text"), None)
            .unwrap();
        text.as_str().unwrap().to_owned()
    }

    /// Whether there is a part.
    pub fn has(&self, what: &str) -> bool {
        self.find(what).is_ok()
    }

    /// Waits until a part has a text.
    #[track_caller]
    pub fn sees(&self, what: &str, text: &str) {
        self.soon(&format!("{what} has {text:?}"), || {
            let part = self.find(what)?;
            let has = self.ask("GET", &format!("/element/{part}/text"), None)?;
            let has = has.as_str().unwrap_or_default();
            has.contains(text)
                .then_some(())
                .ok_or_else(|| format!("it has {has:?}"))
        });
    }

    /// Waits until there is no such part.
    #[track_caller]
    pub fn sees_no(&self, what: &str) {
        self.soon(&format!("no {what}"), || match self.find(what) {
            Ok(_) => Err("it is there".to_owned()),
            Err(_) => Ok(()),
        });
    }

    /// Waits until it is at a path.
    #[track_caller]
    pub fn gets_to(&self, path: &str) {
        self.soon(&format!("gets to {path}"), || {
            let at = self.path();
            (at == path).then_some(()).ok_or(at)
        });
    }

    /// What a script gives; the policy of the page does not bind it.
    #[track_caller]
    pub fn script(&self, script: &str) -> Value {
        let body = json!({ "script": script, "args": [] });
        self.ask("POST", "/execute/sync", Some(&body)).unwrap()
    }

    /// What a script gives to its last argument, which is called when it is done.
    #[track_caller]
    pub fn script_later(&self, script: &str) -> Value {
        let body = json!({ "script": script, "args": [] });
        self.ask("POST", "/execute/async", Some(&body)).unwrap()
    }

    fn tool(&self, name: &str, parameters: &Value) {
        let body = json!({ "cmd": name, "params": parameters });
        self.ask("POST", "/goog/cdp/execute", Some(&body)).unwrap();
    }

    /// Light or dark, and so many pixels wide.
    pub fn look(&self, scheme: &str, wide: u32) {
        let features = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        self.tool("Emulation.setEmulatedMedia", &features);
        let is_phone = wide < 600;
        let size =
            json!({ "width": wide, "height": 900, "deviceScaleFactor": 1, "mobile": is_phone });
        self.tool("Emulation.setDeviceMetricsOverride", &size);
    }

    /// A picture of the whole page.
    pub fn picture(&self, path: &Path) {
        let body =
            json!({ "cmd": "Page.captureScreenshot", "params": { "captureBeyondViewport": true } });
        let shot = self.ask("POST", "/goog/cdp/execute", Some(&body)).unwrap();
        let bytes =
            base64::engine::general_purpose::STANDARD.decode(shot["data"].as_str().unwrap());
        std::fs::write(path, bytes.unwrap()).unwrap();
    }
}

impl Drop for Browser<'_> {
    fn drop(&mut self) {
        // The driver ends what is left.
        let _ = call("DELETE", &self.url, None);
    }
}
