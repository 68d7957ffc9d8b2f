//! Answers: each kind of them, by who may and by who may not.

use laneway::server::Scope;
use serde_json::json;

use super::{Driver, event, opened, payments, service, signed_in};

#[test]
fn two_people_in_two_browsers_are_a_quorum_and_each_sees_the_other_at_once() {
    let test = "two_people_in_two_browsers_are_a_quorum_and_each_sees_the_other_at_once";
    let Some(driver) = Driver::start(test) else {
        return;
    };
    let service = service();
    let one = signed_in(&driver, &service, "b1@x");
    let other = signed_in(&driver, &service, "b2@x");
    one.sees("#live", "Nothing waits.");
    let asking = payments(&service);
    let (id, digest) = opened(&asking, &event("e1", 5_000, "c-17"));
    // The inbox has it without being asked for again.
    one.sees("#live", "asked by payments");
    other.sees("#live", "asked by payments");
    one.click("#live .row a");
    other.click("#live .row a");
    one.gets_to(&format!("/escalations/{id}"));
    one.sees("h1", "pending");
    one.sees("article", "Look at the customer first.");
    other.sees("article", "0 of 2 of board agreed");
    one.fill("#why-approve", "known for years");
    one.press("Approve");
    one.sees(".answers", "You approved it.");
    // The other one sees it without a click.
    other.sees("article", "1 of 2 of board agreed");
    other.press("Approve");
    other.sees("h1", "approved");
    one.sees("h1", "approved");
    one.sees(".answers", "It has ended");
    one.sees("article", "known for years");
    let consume = json!({ "digest": digest, "key": "k1" });
    asking
        .post(&format!("/v1/escalations/{id}/consume"), &consume)
        .fine();
    one.open("/");
    one.sees("#live", "Nothing waits.");
}

#[test]
fn a_denial_needs_its_reason_which_everybody_then_reads() {
    let test = "a_denial_needs_its_reason_which_everybody_then_reads";
    let Some(driver) = Driver::start(test) else {
        return;
    };
    let service = service();
    let asking = payments(&service);
    let (id, _) = opened(&asking, &event("e1", 10, "odd-1"));
    let browser = signed_in(&driver, &service, "d2@x");
    browser.click("#live .row a");
    browser.press("Deny");
    // The browser asks for the reason, and nothing was sent.
    let missing = "return document.querySelector('#why-deny').validity.valueMissing";
    assert_eq!(browser.script(missing), true);
    let state = |at: &str| asking.get(&format!("/v1/escalations/{id}")).fine().json()[at].clone();
    assert_eq!(state("state"), "pending");
    browser.fill("#why-deny", "nobody knows them <b>");
    browser.press("Deny");
    browser.sees("h1", "denied");
    browser.sees("article", "nobody knows them <b>");
    assert_eq!(state("state"), "denied");
}

#[test]
fn a_changed_input_is_shown_beside_the_one_before_and_confirmed() {
    let test = "a_changed_input_is_shown_beside_the_one_before_and_confirmed";
    let Some(driver) = Driver::start(test) else {
        return;
    };
    let service = service();
    let asking = payments(&service);
    let (id, _) = opened(&asking, &event("e1", 900, "odd-1"));
    let browser = signed_in(&driver, &service, "d2@x");
    browser.open(&format!("/escalations/{id}"));
    browser.click("//summary[contains(., 'Change the input')]");
    let changed = event("e1", 90, "odd-1");
    browser.fill("#event", &changed.to_string());
    browser.fill("#why-amend", "a tenth is enough");
    browser.press("See what is different");
    browser.sees("h1", "Change the input");
    assert!(browser.text(".diff del").contains("900"));
    assert!(browser.text(".diff ins").contains("90"));
    let pending = asking.get(&format!("/v1/escalations/{id}")).fine().json();
    assert_eq!(pending["state"], "pending", "to look changes nothing");
    browser.press("Approve the changed input");
    browser.sees("h1", "amended");
    browser.sees("article", "a tenth is enough");
    let ended = asking.get(&format!("/v1/escalations/{id}")).fine().json();
    assert_eq!(ended["state"], "amended", "{ended}");
}

#[test]
fn who_stands_behind_the_request_is_offered_no_answer_and_refused_one() {
    let test = "who_stands_behind_the_request_is_offered_no_answer_and_refused_one";
    let Some(driver) = Driver::start(test) else {
        return;
    };
    let service = service();
    // They are of the team that is asked.
    let bot = service.client("d1@x", &[Scope::Decide]);
    let (id, digest) = opened(&bot, &event("e1", 10, "odd-1"));
    let owner = signed_in(&driver, &service, "d1@x");
    owner.open(&format!("/escalations/{id}"));
    owner.sees(".answers", "somebody else has to answer");
    assert!(!owner.has("//button[normalize-space()='Approve']"));
    assert!(!owner.has("//button[normalize-space()='Deny']"));
    // They send the form all the same.
    owner.script(&format!(
        "const word = document.querySelector('input[name=form]').value;
         const form = document.createElement('form');
         form.method = 'post';
         form.action = '/escalations/{id}/approve';
         form.id = 'forged';
         for (const [name, value] of [['form', word], ['digest', '{digest}']]) {{
           const input = document.createElement('input');
           input.name = name;
           input.value = value;
           form.append(input);
         }}
         const button = document.createElement('button');
         button.textContent = 'Approve anyway';
         form.append(button);
         document.querySelector('main').prepend(form);"
    ));
    owner.press("Approve anyway");
    owner.sees("h1", "That did not work");
    owner.sees("#content", "Nothing was approved by it.");
    let pending = bot.get(&format!("/v1/escalations/{id}")).fine().json();
    assert_eq!(pending["state"], "pending");
    let colleague = signed_in(&driver, &service, "d2@x");
    colleague.open(&format!("/escalations/{id}"));
    colleague.press("Approve");
    colleague.sees("h1", "approved");
}

#[test]
fn who_goes_by_the_keyboard_stays_where_they_were_when_something_happens() {
    let test = "who_goes_by_the_keyboard_stays_where_they_were_when_something_happens";
    let Some(driver) = Driver::start(test) else {
        return;
    };
    let service = service();
    let (id, _) = opened(&payments(&service), &event("e1", 5_000, "c-17"));
    let browser = signed_in(&driver, &service, "b1@x");
    browser.open(&format!("/escalations/{id}"));
    browser.sees("article", "seen by b1@x");
    browser.script(
        "const buttons = Array.from(document.querySelectorAll('button'));
         buttons.find((it) => it.textContent === 'Approve').focus();",
    );
    let said = json!({ "text": "I called them." });
    let comment = format!("/v1/escalations/{id}/comment");
    service.person("b2@x").post(&comment, &said).fine();
    browser.sees("article", "I called them.");
    let focused = browser.script("return document.activeElement.textContent");
    assert_eq!(focused, "Approve");
}

#[test]
fn silence_is_seen_to_end_it() {
    let Some(driver) = Driver::start("silence_is_seen_to_end_it") else {
        return;
    };
    let service = service();
    let browser = signed_in(&driver, &service, "d2@x");
    let (id, _) = opened(&payments(&service), &event("e1", 10, "hasty"));
    browser.open(&format!("/escalations/{id}"));
    browser.sees("h1", "pending");
    browser.sees("article", "If nobody answers");
    // The time counts down.
    let left = "return document.querySelector('[data-until]')?.textContent ?? ''";
    let first = browser.script(left);
    browser.sees("article", "ended");
    assert_ne!(browser.script(left), first);
    browser.sees("h1", "timed out");
    assert!(!browser.has("//button[normalize-space()='Approve']"));
    browser.open("/");
    browser.sees("#live", "Nothing waits.");
}

#[test]
fn everything_can_be_answered_without_scripts() {
    let Some(driver) = Driver::start("everything_can_be_answered_without_scripts") else {
        return;
    };
    let service = service();
    super::knows(&service, "b1@x");
    let asking = payments(&service);
    let (id, _) = opened(&asking, &event("e1", 5_000, "c-17"));
    let browser = driver.browser_without_scripts(&service.url);
    super::sign_in(&browser, "b1@x");
    browser.click("#live .row a");
    browser.press("Approve");
    browser.sees(".answers", "You approved it.");
    browser.press("Take it back");
    browser.sees("article", "0 of 2 of board agreed");
    browser.fill("#text", "Who is this?\nSince when?");
    browser.press("Comment");
    browser.sees("article", "Who is this?");
    assert!(!browser.text("article").contains("\\u{"));
    browser.fill("#why-deny", "not without a call");
    browser.press("Deny");
    browser.sees("h1", "denied");
    let denied = asking.get(&format!("/v1/escalations/{id}")).fine().json();
    assert_eq!(denied["state"], "denied");
}
