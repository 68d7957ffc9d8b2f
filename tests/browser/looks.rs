//! How each page looks: in light, in dark and on a phone, to eyes and to what reads pages aloud.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::{Browser, Driver, event, opened, payments, service, signed_in};

/// Each is a scheme of colours and a width.
const LOOKS: [(&str, &str, u32); 3] = [
    ("light", "light", 1280),
    ("dark", "dark", 1280),
    ("phone", "light", 390),
];

#[test]
fn every_page_fits_in_light_in_dark_and_on_a_phone_and_has_no_barrier() {
    let test = "every_page_fits_in_light_in_dark_and_on_a_phone_and_has_no_barrier";
    let Some(driver) = Driver::start(test) else {
        return;
    };
    let axe = axe();
    let pictures = std::env::var_os("LANEWAY_PICTURES").map(PathBuf::from);
    if let Some(folder) = &pictures {
        std::fs::create_dir_all(folder).unwrap();
    }
    let service = service();
    let asking = payments(&service);
    let desk = service.person("d2@x");
    let mut ids = Vec::new();
    for n in 0..4 {
        let customer = format!("odd-{}", n / 2);
        let (id, digest) = opened(&asking, &event(&format!("o{n}"), 10, &customer));
        match n {
            0 => desk.post(
                &format!("/v1/escalations/{id}/deny"),
                &json!({ "reason": "no" }),
            ),
            1 => desk.post(
                &format!("/v1/escalations/{id}/approve"),
                &json!({ "digest": digest }),
            ),
            _ => desk.get(&format!("/v1/escalations/{id}")),
        }
        .fine();
        ids.push(id);
    }
    let (big, _) = opened(&asking, &event("b0", 5_000, "c-17 \u{202e} <b>"));
    asking
        .post("/v1/decisions", &json!({ "event": event("a0", 10, "c-1") }))
        .fine();
    let everything = signed_in(&driver, &service, "adm@x");
    let board = signed_in(&driver, &service, "b1@x");
    let nobody = driver.browser(&service.url);
    let ended = format!("/escalations/{}", ids[1]);
    let pending = format!("/escalations/{big}");
    let looks: [(&Browser<'_>, &str, &str); 13] = [
        (&nobody, "sign-in", "/sign-in"),
        (&board, "inbox", "/"),
        (&everything, "inbox-all", "/?view=all"),
        (&everything, "inbox-ended", "/?view=ended"),
        (&board, "escalation", &pending),
        (&everything, "escalation-ended", &ended),
        (&everything, "matrix", "/matrix"),
        (&everything, "try", "/try?example=1"),
        (&everything, "decisions", "/decisions"),
        (&everything, "statistics", "/statistics"),
        (&everything, "deliveries", "/deliveries"),
        (&everything, "audit", "/audit"),
        (&everything, "people", "/people"),
    ];
    let mut barriers = Vec::new();
    let see = |browser: &Browser<'_>, name: &str, barriers: &mut Vec<String>| {
        for (look, scheme, wide) in LOOKS {
            browser.look(scheme, wide);
            let name = format!("{name}-{look}");
            fits(browser, &name);
            if let Some(folder) = &pictures {
                browser.picture(&folder.join(format!("{name}.png")));
            }
            if let Some(axe) = &axe {
                barriers.extend(audited(browser, axe, &name));
            }
        }
        browser.look("light", 1280);
    };
    for (browser, name, path) in looks {
        browser.open(path);
        see(browser, name, &mut barriers);
    }
    // What comes of forms.
    everything.open("/try?example=1");
    everything.press("Decide");
    everything.sees("#result", "escalate");
    see(&everything, "try-result", &mut barriers);
    everything.open("/audit");
    everything.press("Verify everything");
    everything.sees("#report h2", "Everything fits");
    see(&everything, "audit-verified", &mut barriers);
    board.open(&pending);
    board.click("//summary[contains(., 'Change the input')]");
    board.fill("#event", &event("b0", 500, "c-17").to_string());
    board.press("See what is different");
    board.sees("h1", "Change the input");
    see(&board, "change", &mut barriers);
    board.open("/nowhere");
    see(&board, "nowhere", &mut barriers);
    assert_eq!(barriers, [""; 0], "{}", barriers.join("\n"));
    if let Some(axe) = &axe {
        // A barrier that is put there is found, so that the audit is one.
        nobody.open("/sign-in");
        nobody.script("document.querySelector('label[for=password]').remove()");
        assert!(!audited(&nobody, axe, "without a label").is_empty());
    }
}

/// Nothing is wider than the window, but for what scrolls by itself.
#[track_caller]
fn fits(browser: &Browser<'_>, name: &str) {
    let wide = browser.script("return [document.documentElement.scrollWidth, innerWidth]");
    let numbers: Vec<u64> = serde_json::from_value(wide).unwrap();
    assert!(
        numbers[0] <= numbers[1],
        "{name} is {} wide in {}",
        numbers[0],
        numbers[1]
    );
    assert!(browser.has("html[lang=en]") && browser.has("h1"), "{name}");
    assert!(browser.title().ends_with(" · Laneway"), "{name}");
}

/// The script of axe-core, where it is named.
fn axe() -> Option<String> {
    let file = std::env::var_os("LANEWAY_AXE")?;
    Some(std::fs::read_to_string(file).unwrap())
}

/// What axe-core finds in a page: each thing that is serious or critical.
fn audited(browser: &Browser<'_>, axe: &str, name: &str) -> Vec<String> {
    browser.script(axe);
    let found = browser.script_later(
        "const done = arguments[arguments.length - 1];
         axe.run(document, { resultTypes: ['violations'] })
           .then((it) => done({ violations: it.violations, passes: it.passes.length }), (error) => done({ error: String(error) }));",
    );
    assert!(
        found["passes"].as_u64() > Some(10),
        "{name} was not audited: {found}"
    );
    let violations = found["violations"].as_array().unwrap().iter();
    let is_serious = |it: &&Value| matches!(it["impact"].as_str(), Some("serious" | "critical"));
    let words = violations.filter(is_serious).map(|it| {
        let node = &it["nodes"][0];
        format!(
            "{name}: {} ({}): {} {}",
            it["id"], it["impact"], node["html"], node["failureSummary"]
        )
    });
    words.collect()
}
