//! What is around every page.

use maud::{DOCTYPE, Markup, html};

use super::form;
use crate::server::app::App;
use crate::server::caller::Caller;
use crate::server::problem::Problem;

/// A page of the navigation.
struct Place {
    path: &'static str,
    name: &'static str,
    /// Who sees it; to others it is not there.
    is_for: fn(&Caller) -> bool,
}

const PLACES: [Place; 8] = [
    Place {
        path: "/",
        name: "Inbox",
        is_for: works,
    },
    Place {
        path: "/matrix",
        name: "Matrix",
        is_for: reads,
    },
    Place {
        path: "/try",
        name: "Try it",
        is_for: reads,
    },
    Place {
        path: "/decisions",
        name: "Decisions",
        is_for: Caller::sees_all,
    },
    Place {
        path: "/statistics",
        name: "Statistics",
        is_for: Caller::sees_all,
    },
    Place {
        path: "/deliveries",
        name: "Deliveries",
        is_for: Caller::sees_all,
    },
    Place {
        path: "/audit",
        name: "Audit",
        is_for: Caller::sees_all,
    },
    Place {
        path: "/people",
        name: "People",
        is_for: Caller::sees_all,
    },
];

/// Whether somebody asks or answers, or sees everything; not a token for something else.
fn works(caller: &Caller) -> bool {
    caller.asks() || reads(caller)
}

/// Whether somebody reads the matrix: people, and who sees everything; not a service that only asks.
fn reads(caller: &Caller) -> bool {
    caller.answers() || caller.sees_all()
}

/// Refuses a page of the navigation to who may not see it, as if it were not there.
pub(super) fn may_see(caller: &Caller, path: &str) -> Result<(), Problem> {
    let place = PLACES.iter().find(|place| place.path == path);
    match place.is_some_and(|place| (place.is_for)(caller)) {
        true => Ok(()),
        false => Err(Problem::not_found()),
    }
}

/// The title of a page of the navigation.
pub(super) fn title(path: &str) -> &'static str {
    let place = PLACES.iter().find(|place| place.path == path);
    place.map_or("Laneway", |place| place.name)
}

/// A page with its title.
pub(super) fn page(
    app: &App,
    caller: Option<&Caller>,
    title: &str,
    here: &str,
    content: &Markup,
) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Laneway" }
                link rel="icon" href="/favicon.ico" type="image/svg+xml";
                link rel="stylesheet" href="/assets/style.css";
                script src="/assets/live.js" defer {}
            }
            body {
                a.skip href="#content" { "To the content" }
                header {
                    a.brand href="/" { "Laneway" }
                    @if let Some(caller) = caller {
                        nav aria-label="Pages" {
                            @for place in PLACES.iter().filter(|place| (place.is_for)(caller)) {
                                a href=(place.path) aria-current=[(place.path == here).then_some("page")] { (place.name) }
                            }
                        }
                        form.who method="post" action="/sign-out" {
                            (form::word(caller))
                            span { (caller.principal) }
                            @if caller.session().is_some() { button.quiet { "Sign out" } }
                        }
                    }
                }
                @if app.is_demo {
                    p.banner role="note" { "A demonstration: everybody on this machine is whoever they say." }
                }
                @if caller.is_some() {
                    @for problem in app.problems() {
                        p.banner.bad role="alert" { (trouble(problem)) }
                    }
                }
                main #content { (content) }
            }
        }
    }
}

/// What needs a person, in words.
fn trouble(code: &str) -> &'static str {
    match code {
        "matrix" => "The matrix on the disk cannot be read; the last good one decides.",
        "clock" => "The clock is suspect: nothing times out until an operator confirms it.",
        "store" => "The store does not answer as it should; nothing is approved meanwhile.",
        "undelivered" => "Some notices could not be delivered.",
        "channels" => "Something that is told over the network does not answer.",
        "decision_log" => "The decision log cannot be written.",
        "windows" => "Some events could not be kept for measures; their counts are lower bounds.",
        _ => "Something needs an operator.",
    }
}

/// What went wrong, as a page.
pub(super) fn problem(app: &App, caller: Option<&Caller>, problem: &Problem) -> Markup {
    let content = html! {
        h1 { "That did not work" }
        p { (super::text::plain(problem.detail())) "." }
        p.quiet { "Nothing was approved by it." }
        p { a href="/" { "Back to the inbox" } }
    };
    page(app, caller, "That did not work", "", &content)
}
