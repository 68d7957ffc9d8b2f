//! Signing in and out.

use super::{Driver, PASSWORD, event, knows, opened, payments, service, sign_in};

/// The key that goes to the next field.
const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";

#[test]
fn a_person_signs_in_by_a_form_and_out_again() {
    let Some(driver) = Driver::start("a_person_signs_in_by_a_form_and_out_again") else {
        return;
    };
    let service = service();
    knows(&service, "b1@x");
    let (id, _) = opened(&payments(&service), &event("e1", 5_000, "c-17"));
    let browser = driver.browser(&service.url);
    // A link in a message leads to the form, and from there to where it led.
    let place = format!("/escalations/{id}");
    browser.open(&place);
    browser.fill("#person", "b1@x");
    browser.fill("#password", "another few words");
    browser.press("Sign in");
    browser.sees("[role=alert]", "the name or the password is not right");
    browser.fill("#person", "b1@x");
    browser.fill("#password", PASSWORD);
    browser.press("Sign in");
    browser.gets_to(&place);
    browser.sees("h1", "big");
    // No script of a page ever sees the session.
    assert_eq!(browser.script("return document.cookie"), "");
    browser.press("Sign out");
    browser.gets_to("/sign-in");
    browser.open(&place);
    browser.sees("h1", "Sign in");
}

#[test]
fn a_link_for_a_password_is_used_by_who_gets_it() {
    let Some(driver) = Driver::start("a_link_for_a_password_is_used_by_who_gets_it") else {
        return;
    };
    let service = service();
    let admin = super::signed_in(&driver, &service, "adm@x");
    admin.click("nav a[href='/people']");
    admin.fill("#person", "b2@x");
    admin.click("form[action='/people/link'] button");
    admin.sees("#content", "/setup/");
    let page = admin.text("#content");
    let link = page
        .split_whitespace()
        .find(|word| word.contains("/setup/"));
    let path = link.unwrap().strip_prefix(&service.url).unwrap();
    let browser = driver.browser(&service.url);
    browser.open(path);
    browser.fill("#password", "short");
    browser.press("Set the password and sign in");
    // The browser itself says that it is too short, and sends nothing.
    assert_eq!(browser.path(), path);
    browser.fill("#password", PASSWORD);
    browser.press("Set the password and sign in");
    browser.sees(".who", "b2@x");
    let again = driver.browser(&service.url);
    again.open(path);
    again.sees("h1", "That did not work");
    sign_in(&again, "b2@x");
}

#[test]
fn keys_alone_are_enough_to_sign_in_and_to_answer() {
    let Some(driver) = Driver::start("keys_alone_are_enough_to_sign_in_and_to_answer") else {
        return;
    };
    let service = service();
    knows(&service, "d2@x");
    let (id, _) = opened(&payments(&service), &event("e1", 10, "odd-1"));
    let browser = driver.browser(&service.url);
    browser.open(&format!("/escalations/{id}"));
    browser.sees("h1", "Sign in");
    // The name has the focus, in a browser that gives it; else some keys lead there.
    let id = "return document.activeElement.id";
    let leads_there = (0..10).any(|_| {
        browser.script(id) == "person" || {
            browser.keys(TAB);
            false
        }
    });
    assert!(leads_there, "no key leads to the name");
    browser.keys(&format!("d2@x{TAB}{PASSWORD}{ENTER}"));
    browser.sees("h1", "odd");
    // That they have seen it is shown, and then nothing else happens.
    browser.sees("article", "seen by d2@x");
    // The first key leads to the link to the content.
    browser.keys(TAB);
    let focused = "return document.activeElement.textContent.trim()";
    assert_eq!(browser.script(focused), "To the content");
    assert!(browser.text(".skip").contains("To the content"));
    browser.keys(ENTER);
    let mut passed = Vec::new();
    loop {
        browser.keys(TAB);
        let at = browser.script(focused);
        // What has the focus is seen to have it.
        let outline = "return getComputedStyle(document.activeElement).outlineStyle";
        assert_ne!(browser.script(outline), "none", "{at}");
        if at == "Approve" {
            break;
        }
        passed.push(at);
        assert!(passed.len() < 60, "no key leads to the answer: {passed:?}");
    }
    browser.keys(ENTER);
    browser.sees("h1", "approved");
}
