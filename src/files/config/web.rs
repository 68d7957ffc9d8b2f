//! URLs to which something is sent.
//!
//! In: a text. Out: whether it is a URL that is read in one way only.
//! Invariant: it has a scheme and a host and no name or password; a host that is an address is written as
//! addresses are, not as a number, in octal or in hexadecimal.
//! Knows nothing of where a name leads: that is looked up when something is sent.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::limits::ADDRESS_BYTES;

/// Checks a URL; one without TLS only where networks are allowed, in which it must then lie.
///
/// # Errors
/// With what is wrong. The text itself is not in it: it may be a secret.
pub(crate) fn web_address(text: &str, allows: bool) -> Result<(), &'static str> {
    let rest = match text.split_once("://") {
        Some(("https", rest)) => rest,
        Some(("http", rest)) if allows => rest,
        Some(("http", _)) => {
            return Err(
                "a URL without TLS leads only into networks that `allow` in `[notify]` lists",
            );
        }
        _ => return Err("a URL such as `https://hooks.example.com/laneway`"),
    };
    let is_plain = |c: char| c.is_ascii_graphic() && !matches!(c, '\\' | '#' | '"' | '<' | '>');
    if text.len() > ADDRESS_BYTES || !text.chars().all(is_plain) {
        return Err(
            "a URL has printable ASCII without spaces, `\\` and `#`, and at most 2048 bytes",
        );
    }
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    if authority.contains('@') {
        return Err("a URL has no name and no password in it");
    }
    match is_host(authority) {
        true => Ok(()),
        false => {
            Err("the URL's host is a name, `192.0.2.1` or `[2001:db8::1]`, then perhaps a port")
        }
    }
}

/// A name or an address, and perhaps a port.
fn is_host(authority: &str) -> bool {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let Some((host, port)) = rest.split_once(']') else {
                return false;
            };
            let port = match port {
                "" => None,
                port => Some(port.strip_prefix(':').unwrap_or_default()),
            };
            return host.parse::<Ipv6Addr>().is_ok() && port.is_none_or(is_port);
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let is_label = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let mut labels = host.strip_suffix('.').unwrap_or(host).split('.');
    let is_name = labels.all(|label| !label.is_empty() && label.chars().all(is_label));
    is_name && is_read_in_one_way(host) && port.is_none_or(is_port)
}

/// Where the last part of a host is a number, systems read all of it as an address: in decimal, octal or
/// hexadecimal, in one to four parts.
fn is_read_in_one_way(host: &str) -> bool {
    let last = host.strip_suffix('.').unwrap_or(host).rsplit('.').next();
    let is_number = last.is_some_and(|last| {
        let hex = last.strip_prefix("0x").or_else(|| last.strip_prefix("0X"));
        last.chars().all(|c| c.is_ascii_digit())
            || hex.is_some_and(|hex| hex.chars().all(|c| c.is_ascii_hexdigit()))
    });
    !is_number || host.parse::<Ipv4Addr>().is_ok()
}

fn is_port(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_digit()) && text.parse::<u16>().is_ok_and(|port| port > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_read_in_one_way_only() {
        for good in [
            "https://hooks.example.com/laneway?x=1",
            "https://hooks.example.com:8443",
            "https://192.0.2.1/x",
            "https://[2001:db8::1]:8443/x",
            "https://xn--bcher-kva.example./",
        ] {
            assert_eq!(web_address(good, false), Ok(()), "{good}");
        }
        for bad in [
            "hooks.example.com",
            "ftp://hooks.example.com",
            "HTTPS://hooks.example.com",
            "https://",
            "https:///x",
            "https://ann:secret@hooks.example.com",
            "https://hooks.example.com\\@inside",
            "https://hooks.example.com/#x",
            "https://hooks example.com",
            "https://hooks.example.com/\r\nx: y",
            "https://bücher.example",
            "https://hooks.example.com:",
            "https://hooks.example.com:0",
            "https://hooks.example.com:+80",
            "https://hooks.example.com:99999",
            "https://[::1",
            "https://[fe80::1%25eth0]",
            "https://2130706433/",
            "https://0177.0.0.1",
            "https://127.1",
            "https://0x7f.0.0.1",
            "https://0x7f000001",
            "https://127.0.0.1.",
            "https://example..com",
        ] {
            assert!(web_address(bad, true).is_err(), "{bad}");
        }
        let long = format!("https://hooks.example.com/{}", "x".repeat(ADDRESS_BYTES));
        assert!(web_address(&long, true).is_err());
    }

    #[test]
    fn without_tls_it_leads_only_where_that_is_allowed() {
        assert!(web_address("http://10.1.2.3/", false).is_err());
        assert_eq!(web_address("http://10.1.2.3/", true), Ok(()));
    }
}
