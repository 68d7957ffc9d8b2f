//! Where nothing is sent.

use std::net::Ipv4Addr;
use std::sync::Arc;

use laneway::notify::SystemLookup;

use super::receiver::{Receiver, status};
use super::{Names, SECRET, never, read, set, set_with, webhook};

/// A webhook with TLS, and without an allowed network.
fn outside(url: &str) -> String {
    webhook(url).replace("allow = [\"127.0.0.1\"]\n", "")
}

#[test]
fn nothing_is_sent_inside_unless_that_is_allowed() {
    for host in [
        "127.0.0.1",
        "169.254.169.254",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.0.1",
        "100.64.0.1",
        "0.0.0.0",
        "[::1]",
        "[::]",
        "[::ffff:10.0.0.1]",
        "[::ffff:a00:1]",
        "[64:ff9b::a00:1]",
        "[2002:a00:1::1]",
        "[fd00::1]",
        "[fe80::1]",
        "localhost",
    ] {
        let set = set(&outside(&format!("https://{host}/latest")));
        let why = never(set.ask());
        assert!(
            why.contains("allow its network in `[notify]`"),
            "{host}: {why}"
        );
    }
}

#[test]
fn an_address_that_is_written_as_a_number_is_no_url() {
    for host in [
        "2130706433",
        "0177.0.0.1",
        "0x7f000001",
        "127.1",
        "017700000001",
    ] {
        let (_folder, config) = read(&outside(&format!("https://{host}/")), &[("s", SECRET)]);
        let error = config.unwrap_err().to_string();
        assert!(
            error.contains("laneway.toml:3:7: the URL's host is"),
            "{error}"
        );
    }
    let (_folder, config) = read(&outside("https://ann:pw@hooks.example.com"), &[]);
    let error = config.unwrap_err().to_string();
    assert!(
        error.contains("laneway.toml:3:7: a URL has no name and no password"),
        "{error}"
    );
}

#[test]
fn a_url_without_tls_leads_only_into_allowed_networks() {
    let (_folder, config) = read(&outside("http://hooks.example.com"), &[("s", SECRET)]);
    let error = config.unwrap_err().to_string();
    assert!(
        error.contains("laneway.toml:3:7: a URL without TLS"),
        "{error}"
    );
    // Elsewhere something is allowed: not there.
    let toml = webhook("http://hooks.example.com");
    let set = set_with(&toml, &[("s", SECRET)], Names::new(&["1.1.1.1"]));
    assert!(never(set.ask()).contains("the request has no TLS"));
}

#[test]
fn a_name_that_changes_between_look_up_and_connect_changes_nothing() {
    let vetted = Receiver::new();
    // Another machine of this machine, so to speak: the same port where nothing is allowed.
    let port = vetted.address.port();
    let inside = Receiver::at(Ipv4Addr::new(127, 0, 0, 2), port);
    let names = Names::new(&["127.0.0.1", "127.0.0.2", "127.0.0.1"]);
    let toml = webhook(&format!("http://hooks.example.com:{port}/hook"));
    let set = set_with(&toml, &[("s", SECRET)], names.clone());
    assert_eq!(set.ask(), Ok(()));
    // One look-up for the request: what it gave is what was connected to.
    assert_eq!((names.left(), vetted.seen().len()), (2, 1));
    let why = never(set.ask());
    assert!(why.contains("`hooks.example.com` is at 127.0.0.2"), "{why}");
    assert_eq!(set.ask(), Ok(()));
    assert_eq!((vetted.seen().len(), inside.seen().len()), (1, 0));
}

#[test]
fn a_redirect_is_not_followed() {
    let (receiver, inside) = (Receiver::new(), Receiver::new());
    let set = set(&webhook(&receiver.url()));
    for code in [301, 302, 303, 307, 308] {
        let to = format!("location: {}\r\n", inside.url());
        receiver.answers(&[status(code, &to)]);
        let why = never(set.ask());
        assert_eq!(
            why,
            format!("it answered {code}, and no redirect is followed")
        );
    }
    assert_eq!((receiver.seen().len(), inside.seen().len()), (5, 0));
}

/// The environment of a process is set where it is started, so this test starts itself.
#[test]
fn a_proxy_of_the_environment_is_not_used() {
    const CHILD: &str = "LANEWAY_TEST_RECEIVER";
    if let Ok(url) = std::env::var(CHILD) {
        assert!(ureq::Proxy::try_from_env().is_some());
        let set = set_with(&webhook(&url), &[("s", SECRET)], Arc::new(SystemLookup));
        assert_eq!(set.ask(), Ok(()));
        return;
    }
    let (receiver, proxy) = (Receiver::new(), Receiver::new());
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    child.args([
        "--exact",
        "addresses::a_proxy_of_the_environment_is_not_used",
    ]);
    for name in [
        "HTTP_PROXY",
        "http_proxy",
        "HTTPS_PROXY",
        "https_proxy",
        "ALL_PROXY",
        "all_proxy",
    ] {
        child.env(name, format!("http://{}", proxy.address));
    }
    child.env_remove("NO_PROXY").env_remove("no_proxy");
    let done = child.env(CHILD, receiver.url()).output().unwrap();
    assert!(
        done.status.success(),
        "{}",
        String::from_utf8_lossy(&done.stdout)
    );
    assert_eq!((receiver.seen().len(), proxy.seen().len()), (1, 0));
}
