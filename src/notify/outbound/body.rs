//! The bodies of requests.
//!
//! In: a notice. Out: JSON, as Standard Webhooks, Slack or Teams take it.
//! Invariant: a value stands where it cannot become markup: in a code span from which it cannot break out,
//! or in a text run, which has none. So it names nobody, links nowhere and is no heading.
//! Knows nothing of how it is sent.

use serde_json::{Value, json};

use super::say::{Said, link, said};
use crate::clock::format_timestamp;
use crate::escalation::{About, Recipient};
use crate::store::Posted;

/// As Standard Webhooks have it: what happened, when, and the particulars.
pub(super) fn standard(posted: &Posted, url: &str) -> String {
    let notice = &posted.notice;
    let (role, to) = match &notice.to {
        Recipient::Person(person) => ("person", person),
        Recipient::Team(team) => ("team", team),
        Recipient::Caller(caller) => ("caller", caller),
    };
    let mut data = json!({
        "notice": notice.id, "escalation": posted.escalation, "url": link(posted, url),
        "to": to, "as": role, "count": posted.count,
    });
    let mut put = |name: &str, value: &str| {
        if let Some(members) = data.as_object_mut() {
            members.insert(name.to_owned(), json!(value));
        }
    };
    if let Some(lane) = &notice.lane {
        put("lane", lane);
    }
    match &notice.about {
        About::Action(action) => put("action", action),
        About::Resolved(outcome) => put("outcome", outcome),
        About::Asked | About::Reminded => {}
    }
    let at = format_timestamp(notice.at);
    json!({ "type": notice.about.as_str(), "timestamp": at, "data": data }).to_string()
}

/// As incoming webhooks of Slack have it, and of chats that take the same.
pub(super) fn slack(posted: &Posted, url: &str) -> String {
    let Said { title, facts, link } = said(posted, url);
    let mut lines = vec![escaped(&title)];
    let facts = facts.iter();
    lines.extend(facts.map(|(name, value)| format!("{name}: `{}`", escaped(value))));
    lines.push(format!("<{}|Open it>", escaped(&link)));
    json!({ "text": lines.join("\n") }).to_string()
}

/// The three characters that Slack has escaped, and the one that ends a code span.
fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;");
    text.replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('`', "'")
}

/// As incoming webhooks and workflows of Teams have it: a message with one Adaptive Card.
pub(super) fn teams(posted: &Posted, url: &str) -> String {
    let Said { title, facts, link } = said(posted, url);
    let run = |text: &str, is_bold: bool| {
        let weight = if is_bold { "Bolder" } else { "Default" };
        json!({ "type": "TextRun", "text": text, "weight": weight })
    };
    let line = |runs: Vec<Value>| json!({ "type": "RichTextBlock", "inlines": runs });
    let mut body = vec![line(vec![run(&title, true)])];
    let facts = facts.iter();
    body.extend(facts.map(|(name, value)| {
        let name = format!("{name}: ");
        line(vec![run(&name, true), run(value, false)])
    }));
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "body": body,
                "actions": [{ "type": "Action.OpenUrl", "title": "Open it", "url": link }],
            },
        }],
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::super::say::tests::notice;
    use super::*;

    const URL: &str = "https://laneway.example";

    fn read(text: &str) -> Value {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn a_standard_body_says_what_and_its_particulars() {
        let body = read(&standard(&notice(About::Asked, "refunds"), URL));
        let expected = json!({
            "type": "escalation.opened",
            "timestamp": "1970-01-01T00:00:00Z",
            "data": {
                "notice": "e-1/asked/ann@example.com", "escalation": "e-1",
                "url": "https://laneway.example/escalations/e-1",
                "to": "ann@example.com", "as": "person", "count": 1, "lane": "refunds",
            },
        });
        assert_eq!(body, expected);
        let about = About::Resolved("approved".to_owned());
        let body = read(&standard(&notice(about, "refunds"), URL));
        assert_eq!(body["data"]["outcome"], "approved");
        let about = About::Action("page".to_owned());
        let body = read(&standard(&notice(about, "refunds"), URL));
        assert_eq!(body["data"]["action"], "page");
    }

    #[test]
    fn a_value_is_no_markup_of_slack() {
        let about = About::Action("<!channel> `*now*` <https://evil.example|ok> a&b".to_owned());
        let body = read(&slack(&notice(about, "refunds"), URL));
        let text = body["text"].as_str().unwrap();
        let line = text.lines().nth(1).unwrap();
        let shown = "Action: `&lt;!channel&gt; '*now*' &lt;https://evil.example|ok&gt; a&amp;b`";
        assert_eq!(line, shown);
        let last = text.lines().last().unwrap();
        assert_eq!(last, "<https://laneway.example/escalations/e-1|Open it>");
        assert_eq!(text.matches('<').count(), 1);
    }

    #[test]
    fn a_value_stands_in_a_text_run_of_teams() {
        let about = About::Action("**now** [ok](https://evil.example) {{DATE()}}".to_owned());
        let body = read(&teams(&notice(about, "refunds"), URL));
        let card = &body["attachments"][0]["content"];
        assert_eq!(
            (&body["type"], &card["type"]),
            (&json!("message"), &json!("AdaptiveCard"))
        );
        let blocks = card["body"].as_array().unwrap();
        assert!(blocks.iter().all(|block| block["type"] == "RichTextBlock"));
        let value = &blocks[1]["inlines"][1];
        assert_eq!(value["type"], "TextRun");
        assert_eq!(
            value["text"],
            "**now** [ok](https://evil.example) {{DATE()}}"
        );
        let open = &card["actions"][0];
        assert_eq!(open["url"], "https://laneway.example/escalations/e-1");
    }
}
