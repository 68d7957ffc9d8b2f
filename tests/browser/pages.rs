//! The pages beside the inbox.

use serde_json::json;

use super::{Driver, event, opened, payments, service, signed_in};

#[test]
fn an_example_is_picked_and_tried() {
    let Some(driver) = Driver::start("an_example_is_picked_and_tried") else {
        return;
    };
    let service = service();
    let browser = signed_in(&driver, &service, "b1@x");
    browser.click("nav a[href='/try']");
    browser.click(".examples li:first-child a");
    browser.fill("#lane", "odd");
    browser.press("Decide");
    browser.sees("#result", "The caller is told: escalate.");
    browser.sees("#content", "Why not odd");
    // What is shown again is what was sent.
    browser.press("Decide");
    browser.sees("#result", "The caller is told: escalate.");
    browser.sees("#content", "customer");
    // What is typed is tried as well, and what is none is said to be none.
    browser.fill("#event", &event("t1", 10, "c-1").to_string());
    browser.press("Decide");
    browser.sees("#result", "The caller is told: allow.");
    browser.fill("#event", "{");
    browser.press("Decide");
    browser.sees("#result", "The caller is told: block.");
    browser.click("nav a[href='/']");
    browser.sees("#live", "Nothing waits.");
}

#[test]
fn statistics_say_what_happened_in_plots_and_numbers() {
    let test = "statistics_say_what_happened_in_plots_and_numbers";
    let Some(driver) = Driver::start(test) else {
        return;
    };
    let service = service();
    let asking = payments(&service);
    let desk = service.person("d2@x");
    for n in 0..3 {
        let (id, digest) = opened(&asking, &event(&format!("s{n}"), 10, &format!("odd-{n}")));
        let (act, said) = match n {
            0 => ("deny", json!({ "reason": "no" })),
            _ => ("approve", json!({ "digest": digest })),
        };
        desk.post(&format!("/v1/escalations/{id}/{act}"), &said)
            .fine();
    }
    opened(&asking, &event("s3", 5_000, "c-17"));
    let browser = signed_in(&driver, &service, "aud@x");
    browser.click("nav a[href='/statistics']");
    browser.sees("h1", "Statistics");
    for figure in [
        "Escalations over time, by lane",
        "Time to resolution",
        "Approvals against denials",
        "Load by team",
    ] {
        browser.sees(&format!("//section[h2[normalize-space()='{figure}']]"), "");
        assert!(
            browser.has(&format!("//section[h2='{figure}']//*[local-name()='svg']")),
            "{figure}"
        );
    }
    browser.click("//summary[contains(., 'approvals against denials')]");
    browser.sees(
        "//section[h2='Approvals against denials']//tr[th='odd']",
        "2 0 1",
    );
    browser.sees("#content", "brief");
}

#[test]
fn an_auditor_reads_everything_and_is_offered_nothing() {
    let test = "an_auditor_reads_everything_and_is_offered_nothing";
    let Some(driver) = Driver::start(test) else {
        return;
    };
    let service = service();
    let (id, _) = opened(&payments(&service), &event("e1", 5_000, "c-17"));
    let browser = signed_in(&driver, &service, "aud@x");
    browser.open(&format!("/escalations/{id}"));
    browser.sees("article", "c-17");
    for words in [
        "Approve",
        "Deny",
        "Comment",
        "Reassign",
        "Cancel the request",
        "Add",
    ] {
        assert!(
            !browser.has(&format!("//button[normalize-space()='{words}']")),
            "{words}"
        );
    }
    browser.click("nav a[href='/decisions']");
    browser.sees("#content tbody", "e1 escalate big");
    browser.click("nav a[href='/audit']");
    browser.press("Verify everything");
    browser.sees("#report h2", "Everything fits");
}

#[test]
fn a_staged_matrix_is_applied_by_a_click() {
    let Some(driver) = Driver::start("a_staged_matrix_is_applied_by_a_click") else {
        return;
    };
    let service = service();
    let browser = signed_in(&driver, &service, "op@x");
    let changed = super::MATRIX.replace("amount > 1000 EUR", "amount > 2000 EUR");
    std::fs::write(service.path("m.lane"), changed).unwrap();
    let staged = (0..200).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(50));
        browser.open("/matrix");
        browser.has(".staged")
    });
    assert!(staged, "what was saved is staged");
    browser.sees(".staged", "2000");
    browser.press("Apply the staged matrix");
    browser.sees_no(".staged");
    browser.sees("#content", "2000");
}
