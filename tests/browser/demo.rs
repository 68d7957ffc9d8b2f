//! The README's first command, as somebody new uses it.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use super::Driver;

/// The program that serves, which ends with this.
struct Served(Child);

impl Drop for Served {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn somebody_new_starts_it_signs_in_and_approves_what_waits() {
    let test = "somebody_new_starts_it_signs_in_and_approves_what_waits";
    let Some(driver) = Driver::start(test) else {
        return;
    };
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let matrix = concat!(env!("CARGO_MANIFEST_DIR"), "/matrices/agent-operations");
    let mut child = Command::new(env!("CARGO_BIN_EXE_laneway"))
        .args(["serve", matrix, "--demo", "--listen", "127.0.0.1:0"])
        .current_dir(folder.path())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(child.stderr.take().unwrap()).lines();
    let _served = Served(child);
    // All that they know is what it says.
    let waits = loop {
        let line = said.next().expect("it says what waits").unwrap();
        if let Some((_, url)) = line.split_once("an escalation waits: ") {
            break url.to_owned();
        }
    };
    let at = waits.find("/escalations/").unwrap();
    let (site, path) = waits.split_at(at);
    let browser = driver.browser(site);
    browser.open(path);
    browser.sees("#content", "Whose answers do you want to give?");
    browser.press("dana@acme.example");
    browser.gets_to(path);
    browser.sees("h1", "pending");
    browser.press("Approve");
    browser.sees("h1", "approved");
    browser.sees("article", "by the vote of dana@acme.example");
}
