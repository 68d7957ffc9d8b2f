//! `laneway diff`: matrices in revisions of a repository, what recorded events say, and that no word of a matrix acts
//! in Markdown or in HTML.

use std::process::Command;

use crate::program::Ran;
use crate::run::{Folder, PEOPLE, SOUND};

/// Runs git in a folder, by nobody's configuration.
fn git(folder: &Folder, args: &[&str]) {
    let mut command = Command::new("git");
    command
        .current_dir(folder.path(""))
        .args(["-c", "user.name=Ada", "-c", "user.email=ada@acme.example"])
        .args([
            "-c",
            "commit.gpgsign=false",
            "-c",
            "init.defaultBranch=main",
        ])
        .args(args)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1");
    let output = command.output().unwrap();
    assert!(output.status.success(), "git {args:?}: {output:?}");
}

/// A matrix with another threshold.
fn above(amount: &str) -> String {
    assert!(SOUND.contains("amount > 100 USD"));
    SOUND
        .replace("amount > 100 USD", &format!("amount > {amount} USD"))
        .replace("amount = 101 USD", "amount = 5000 USD")
}

/// A repository whose folder `ops` has the matrix; its second commit asks two of finance in the imported file, and
/// the folder as it is asks above 200.
fn repository() -> Folder {
    let folder = Folder::new();
    git(&folder, &["init", "--quiet"]);
    folder.write("ops/matrix.lane", SOUND);
    folder.write("ops/people.lane", PEOPLE);
    folder.write("README.md", "no matrix\n");
    git(&folder, &["add", "."]);
    git(&folder, &["commit", "--quiet", "-m", "one"]);
    let two = PEOPLE.replace(
        "first person \"ada@acme.example\"",
        "first person \"ada@acme.example\", person \"eve@acme.example\"\n  quorum 2 of 2",
    );
    assert_ne!(two, PEOPLE);
    folder.write("ops/people.lane", two);
    git(&folder, &["commit", "--quiet", "-a", "-m", "two"]);
    folder.write("ops/matrix.lane", above("200"));
    folder
}

fn summary(ran: &Ran) -> (i32, String) {
    (
        ran.code,
        ran.out.lines().last().unwrap_or_default().to_owned(),
    )
}

#[test]
fn revisions_are_compared_with_their_imports() {
    let folder = repository();
    let same = "no event is decided otherwise";
    // Only the imported file differs between the commits, and only the root file from the last one to here.
    for (old, new, wanted) in [
        ("HEAD~1:ops", "HEAD:ops", "1 region: 1 tighter"),
        (
            "HEAD:ops/matrix.lane",
            "HEAD~1:ops/matrix.lane",
            "1 region: 1 looser",
        ),
        ("HEAD:ops", "ops", "1 region: 1 looser"),
        ("HEAD:./ops/", "ops/matrix.lane", "1 region: 1 looser"),
        ("main:ops", "HEAD:ops/../ops", same),
        (":ops", "HEAD:ops", same),
        ("ops", "ops", same),
    ] {
        let ran = folder.run(&["diff", old, new]);
        assert_eq!(
            summary(&ran),
            (0, wanted.to_owned()),
            "{old} {new}: {ran:?}"
        );
    }
    let ran = folder.run(&["diff", "HEAD~1:ops", "HEAD:ops", "--format", "json"]);
    let report = ran.json();
    assert_eq!(report["old"]["path"], "HEAD~1:ops");
    assert_eq!(
        report["regions"][0]["gained"][0], "2 of finance (big_refund)",
        "{ran:?}"
    );
    git(&folder, &["add", "."]);
    let ran = folder.run(&["diff", "HEAD:ops", ":ops"]);
    assert_eq!(summary(&ran).1, "1 region: 1 looser", "{ran:?}");
}

#[test]
fn the_path_of_a_revision_is_one_from_this_folder() {
    let folder = repository();
    let within = |args: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_laneway"));
        command.current_dir(folder.path("ops")).args(args);
        Ran::of(&mut command, b"")
    };
    for old in ["HEAD:.", "HEAD:matrix.lane", "HEAD:../ops", "HEAD:"] {
        let ran = within(&["diff", old, "."]);
        assert_eq!(summary(&ran).1, "1 region: 1 looser", "{old}: {ran:?}");
    }
    let ran = within(&["diff", "HEAD:ops/matrix.lane", "."]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.err.contains("did you mean `HEAD:matrix.lane`?"),
        "{ran:?}"
    );
}

#[test]
fn what_is_no_revision_says_what_to_do() {
    let folder = repository();
    for (old, wanted) in [
        ("nope:ops", "the repository has no revision `nope`"),
        (
            "--output=x:ops",
            "the repository has no revision `--output=x`",
        ),
        (
            "HEAD:nope",
            "the revision `HEAD` has no `nope`; paths are those from this folder",
        ),
        (":nope", "the index has no `nope`"),
        ("HEAD:../ops", "`../ops` lies outside of the repository"),
        (
            "HEAD:/etc/passwd",
            "`/etc/passwd` lies outside of the repository",
        ),
        (
            "HEAD:README.md",
            "the matrix `HEAD:README.md` does not load",
        ),
        (
            "HEAD:.",
            "no `*.lane` file in `HEAD:.` has a `matrix` block",
        ),
    ] {
        let ran = folder.run(&["diff", "--", old, "ops"]);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{old}: {ran:?}");
        assert!(ran.err.contains(wanted), "{old}: {ran:?}");
    }
    assert_eq!(folder.names(), [".git", "README.md", "ops"]);
    let other = Folder::with(&[("matrix.lane", SOUND), ("people.lane", PEOPLE)]);
    let ran = other.run(&["diff", "HEAD:matrix.lane", "matrix.lane"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("here is no git repository"), "{ran:?}");
    let mut without = Command::new(env!("CARGO_BIN_EXE_laneway"));
    without
        .current_dir(folder.path(""))
        .env("PATH", folder.path("ops"))
        .args(["diff", "HEAD:ops", "ops"]);
    let ran = Ran::of(&mut without, b"");
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("`git`, which is not installed"), "{ran:?}");
}

#[test]
fn mistakes_of_a_revision_are_shown_under_its_name() {
    let folder = repository();
    folder.write("ops/people.lane", "team finance {\n  first person\n}\n");
    git(&folder, &["commit", "--quiet", "-a", "-m", "broken"]);
    let ran = folder.run(&["diff", "HEAD:ops", "HEAD~1:ops"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("--> HEAD:ops/people.lane:2:"), "{ran:?}");
    // What an import names is that of the revision, whatever lies here.
    git(&folder, &["rm", "--quiet", "--cached", "ops/people.lane"]);
    git(&folder, &["commit", "--quiet", "-m", "gone"]);
    folder.write("ops/people.lane", PEOPLE);
    assert_eq!(folder.run(&["check", "ops"]).code, 0);
    let ran = folder.run(&["diff", "HEAD:ops", "ops"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("there is no such file"), "{ran:?}");
}

#[cfg(unix)]
#[test]
fn a_link_of_a_revision_is_not_followed() {
    let folder = repository();
    std::fs::rename(folder.path("ops/people.lane"), folder.path("ops/all.lane")).unwrap();
    std::os::unix::fs::symlink("all.lane", folder.path("ops/people.lane")).unwrap();
    git(&folder, &["add", "."]);
    git(&folder, &["commit", "--quiet", "-m", "a link"]);
    assert_eq!(folder.run(&["check", "ops"]).code, 0);
    let ran = folder.run(&["diff", "HEAD:ops", "ops"]);
    assert_eq!(ran.code, 2);
    assert!(
        ran.err.contains("those of a revision are not followed"),
        "{ran:?}"
    );
}

#[test]
fn a_folder_of_a_revision_has_one_matrix() {
    let folder = repository();
    folder.write("ops/other.lane", SOUND);
    folder.write("ops/inner/third.lane", SOUND);
    git(&folder, &["add", "."]);
    let ran = folder.run(&["diff", "HEAD:ops", ":ops"]);
    assert_eq!(ran.code, 2);
    let several = "several files in `:ops` have a `matrix` block, name one of them: `matrix.lane`, `other.lane`";
    assert!(ran.err.contains(several), "{ran:?}");
    let ran = folder.run(&["diff", "HEAD:ops", ":ops/matrix.lane"]);
    assert_eq!(
        summary(&ran),
        (0, "1 region: 1 looser".to_owned()),
        "{ran:?}"
    );
}

#[test]
fn a_file_of_that_name_wins() {
    let folder = repository();
    folder.write("HEAD:ops/matrix.lane", above("300"));
    folder.write("HEAD:ops/people.lane", PEOPLE);
    for (new, wanted) in [
        ("HEAD:ops/matrix.lane", "no event is decided otherwise"),
        ("main:ops", "2 regions: 2 tighter"),
    ] {
        let ran = folder.run(&["diff", "HEAD:ops", new]);
        assert_eq!(summary(&ran).1, wanted, "{ran:?}");
    }
}

/// Refunds of these amounts, one a line.
fn refunds(amounts: &[&str]) -> String {
    let lines = amounts.iter().enumerate().map(|(number, amount)| {
        format!(
            "{{\"kind\":\"refund\",\"id\":\"e{number}\",\"at\":\"2026-11-20T10:00:{number:02}Z\",\
             \"customer\":\"c1\",\"amount\":{amount}}}\n"
        )
    });
    lines.collect()
}

/// Two matrices with these thresholds, and events.
fn weighed(old: &str, new: &str, events: &str) -> Folder {
    Folder::with(&[
        ("old.lane", &above(old)),
        ("new.lane", &above(new)),
        ("people.lane", PEOPLE),
        ("events.ndjson", events),
    ])
}

const WEIGH: [&str; 5] = ["diff", "old.lane", "new.lane", "--events", "events.ndjson"];

#[test]
fn recorded_events_are_counted_by_region() {
    let mut events = refunds(&["50", "150", "199.99", "200", "200.01", "900"]);
    events.push_str("no event\n\n{\"kind\":\"refund\",\"amount\":\"much\"}\n");
    let folder = weighed("100", "200", &events);
    let json = |args: &[&str]| folder.run(&[&WEIGH[..], args].concat()).json();
    let report = json(&["--format", "json"]);
    let region = &report["regions"][0];
    assert_eq!(region["recorded"]["events"], 3, "{report}");
    assert_eq!(region["recorded"]["share"], 0.375);
    let recorded = &report["recorded"];
    for (name, number) in [
        ("events", 8),
        ("changed", 3),
        ("unreadable", 2),
        ("read_by_one", 0),
    ] {
        assert_eq!(recorded[name], number, "{name}: {report}");
    }
    assert_eq!(recorded["elsewhere"].as_array().unwrap().len(), 0);
    let ran = folder.run(&WEIGH);
    assert!(
        ran.out.contains("  3 of 8 recorded events (37.5 %)\n"),
        "{ran:?}"
    );
    assert!(
        ran.out
            .contains("note: 2 of 8 recorded events (25.0 %) cannot be read by either matrix"),
        "{ran:?}"
    );
    assert_eq!(
        summary(&ran).1,
        "1 region: 1 looser; 3 of 8 recorded events (37.5 %) are decided otherwise"
    );
    let markdown = folder.run(&[&WEIGH[..], &["--format", "markdown"]].concat());
    assert!(markdown.out.contains("| 3 of 8 (37.5 %) |"), "{markdown:?}");
    let html = folder.run(&[&WEIGH[..], &["--format", "html"]].concat());
    assert!(
        html.out.contains("</span>3 of 8 (37.5 %)</div>"),
        "{html:?}"
    );
    let piped = ["diff", "old.lane", "new.lane", "--events", "-"];
    let piped = folder.run_with(&piped, events.as_bytes());
    assert_eq!(piped.out, ran.out);
}

#[test]
fn the_heaviest_region_of_a_direction_is_first() {
    let lane = SOUND.split_once("lane big_refund").unwrap().1;
    let second = format!("lane any_refund{lane}").replace("amount > 100 USD", "customer is \"c2\"");
    let second = second.split("  example").next().unwrap().to_owned() + "}\n";
    let old = format!("{}{second}", above("100"));
    let new =
        format!("{}{second}", above("200")).replace("customer is \"c2\"", "customer is \"c3\"");
    let of = |customer: &str, amount: &str| refunds(&[amount]).replace("c1", customer);
    let order = |events: String| {
        let folder = Folder::with(&[
            ("old.lane", &old),
            ("new.lane", &new),
            ("people.lane", PEOPLE),
            ("events.ndjson", &events),
        ]);
        let report = folder
            .run(&[&WEIGH[..], &["--format", "json"]].concat())
            .json();
        let regions = report["regions"].as_array().unwrap().clone();
        let looser = regions.iter().filter(|it| it["direction"] == "looser");
        let looser: Vec<u64> = looser
            .map(|it| it["recorded"]["events"].as_u64().unwrap())
            .collect();
        assert!(
            looser.len() > 1 && looser.is_sorted_by(|a, b| a >= b),
            "{report}"
        );
        (
            regions[0]["old"].clone(),
            regions[0]["lost"].clone(),
            looser[0],
        )
    };
    let nobody = order((of("c1", "150") + &of("c2", "50")).repeat(2));
    assert_eq!((nobody.0.as_str(), nobody.2), (Some("escalate"), 4));
    let both = order(of("c2", "900").repeat(2) + &of("c1", "150"));
    assert_eq!(both.1[0], "finance (any_refund)");
    assert_eq!(both.2, 2);
}

#[test]
fn an_event_that_changed_in_no_region_is_said_and_stops_at_the_gate() {
    // A kind that is declared otherwise is not compared, so that no region of it is known.
    let folder = weighed("100", "200", &refunds(&["50", "150", "160"]));
    let text = folder.text("new.lane");
    folder.write(
        "new.lane",
        text.replace("USD 0 to 1000000", "USD 0 to 2000000"),
    );
    let ran = folder.run(&WEIGH);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("elsewhere: decided otherwise"), "{ran:?}");
    let line = "  refund: escalate -> allow by otherwise: 2 of 3 recorded events (66.7 %)\n";
    assert!(ran.out.contains(line), "{ran:?}");
    let ran = folder.run(&[&WEIGH[..], &["--format", "json"]].concat());
    let elsewhere = &ran.json()["recorded"]["elsewhere"][0];
    assert_eq!(elsewhere["loses"], true, "{ran:?}");
    assert_eq!(elsewhere["recorded"]["events"], 2, "{ran:?}");
    for (format, wanted) in [
        (
            "markdown",
            "- **looser** `refund`: escalate -\\> allow by `otherwise`: 2 of 3",
        ),
        (
            "html",
            "<code>otherwise</code>: 2 of 3 recorded events (66.7 %)</li>",
        ),
    ] {
        let ran = folder.run(&[&WEIGH[..], &["--format", format]].concat());
        assert!(ran.out.contains(wanted), "{ran:?}");
    }
    let ran = folder.run(&[&WEIGH[..], &["--no-looser"]].concat());
    assert_eq!(ran.code, 1, "{ran:?}");
}

#[test]
fn measures_count_the_recorded_stream() {
    let counts = |most: &str| {
        let test = format!("count of refund by customer over 10m > {most}");
        let lane = SOUND.split("  example").next().unwrap().to_owned() + "}\n";
        lane.replace("amount > 100 USD", &test)
    };
    let folder = Folder::with(&[
        ("old.lane", &counts("2")),
        ("new.lane", &counts("4")),
        ("people.lane", PEOPLE),
        ("events.ndjson", &refunds(&["1"; 6])),
    ]);
    let report = folder
        .run(&[&WEIGH[..], &["--format", "json"]].concat())
        .json();
    // The third and the fourth are asked about no more.
    assert_eq!(report["recorded"]["changed"], 2, "{report}");
    let events = |it: &serde_json::Value| it["recorded"]["events"].as_u64().unwrap();
    let regions = report["regions"].as_array().unwrap().iter().map(events);
    let elsewhere = report["recorded"]["elsewhere"].as_array().unwrap();
    let all: u64 = regions.chain(elsewhere.iter().map(events)).sum();
    assert_eq!(all, 2, "{report}");
    let ran = folder.run(&[&WEIGH[..], &["--no-looser"]].concat());
    assert_eq!(ran.code, 1, "{ran:?}");
}

#[test]
fn a_decision_log_is_recorded_events_too() {
    let folder = weighed("100", "200", &refunds(&["50", "150", "900"]));
    let ran = folder.run(&["decide", "old.lane", "events.ndjson", "--log", "log"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let args = ["diff", "old.lane", "new.lane", "--events", "log"];
    let ran = folder.run(&args);
    assert_eq!(
        summary(&ran).1,
        "1 region: 1 looser; 1 of 3 recorded events (33.3 %) is decided otherwise",
        "{ran:?}"
    );
}

#[test]
fn events_that_cannot_be_had_are_said_before_the_work() {
    let folder = weighed("100", "200", "");
    let ran = folder.run(&["diff", "old.lane", "new.lane", "--events", "nope.ndjson"]);
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("nope.ndjson"), "{ran:?}");
    let ran = folder.run_with(&["diff", "-", "new.lane", "--events", "-"], b"");
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("one thing only"), "{ran:?}");
    let ran = folder.run(&WEIGH);
    assert!(ran.out.contains("0 of 0 recorded events"), "{ran:?}");
}

/// A text that tries to be Markdown and HTML.
const HOSTILE: &str = "<img src=x onerror=alert(1)> ``` | </details> `b` &amp; [x](http://y)";

/// What an edit of a matrix with hostile words changes.
fn hostile(format: &str) -> String {
    let test = format!("customer is \"{HOSTILE}\"");
    let named = SOUND.replace("\"Small\"", "\"Small <script>alert(1)</script>\"");
    let lane = named.split("  example").next().unwrap().to_owned() + "}\n";
    let new = lane.replace(
        "amount > 100 USD",
        &format!("amount > 100 USD and not {test}"),
    );
    let folder = Folder::with(&[
        ("old.lane", &lane),
        ("new.lane", &new),
        ("people.lane", PEOPLE),
    ]);
    let ran = folder.run(&["diff", "old.lane", "new.lane", "--format", format]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(ran.out.contains("onerror"), "{ran:?}");
    ran.out
}

#[test]
fn no_word_of_a_matrix_acts_as_html() {
    let html = hostile("html");
    for tag in ["<img", "<script", "</details", "&amp; ["] {
        assert!(!html.contains(tag), "{tag}: {html}");
    }
    assert!(html.contains("&lt;img src=x onerror=alert(1)&gt; ``` | &lt;/details&gt;"));
    assert!(html.contains("&amp;amp;"));
    assert!(html.contains("<h1>Small &lt;script&gt;alert(1)&lt;/script&gt;: what changes</h1>"));
    // It has all that it needs.
    for outside in ["src=\"", "<link", "url(", "@import"] {
        assert!(!html.contains(outside), "{outside}");
    }
}

#[test]
fn no_word_of_a_matrix_acts_as_markdown() {
    let markdown = hostile("markdown");
    // Code begins with more backticks than the text has, so that all of it is code.
    let part = markdown
        .lines()
        .find(|line| line.starts_with("- "))
        .unwrap();
    assert!(
        part.starts_with("- ```` ") && part.ends_with(" ````"),
        "{part}"
    );
    let fences = markdown.lines().filter(|line| *line == "````").count();
    assert_eq!(fences, 2, "{markdown}");
    let details = markdown.lines().filter(|line| *line == "</details>");
    let opened = markdown
        .lines()
        .filter(|line| line.starts_with("<details>"));
    assert_eq!((details.count(), opened.count()), (1, 1), "{markdown}");
    let table: Vec<&str> = markdown
        .lines()
        .filter(|line| line.starts_with('|'))
        .collect();
    assert_eq!(
        table,
        [
            "| | events | what changes |",
            "| --- | --- | --- |",
            "| **looser** | `refund` | escalate -\\> allow by `otherwise` |"
        ]
    );
}

#[test]
fn a_closed_output_takes_nothing_from_the_gate() {
    let folder = weighed("100", "200", "");
    for format in ["text", "markdown", "json", "html"] {
        let args = [
            "diff",
            "old.lane",
            "new.lane",
            "--no-looser",
            "--format",
            format,
        ];
        assert_eq!(
            folder.run_closed(&args),
            (Some(1), String::new()),
            "{format}"
        );
    }
}

#[test]
fn what_a_lane_says_otherwise_is_told_clause_by_clause() {
    let new = SOUND
        .replace("respond within 1h", "respond within 2h")
        .replace("meanwhile block item", "meanwhile park item")
        .replace("  operator \"Check the order, then answer.\"\n", "")
        .replace(
            "    after 4h deny\n  }",
            "    after 4h allow because \"small\"\n  }\n  reversible \"take it back\"",
        );
    let folder = Folder::with(&[
        ("old.lane", SOUND),
        ("new.lane", &new),
        ("people.lane", PEOPLE),
    ]);
    let ran = folder.run(&["diff", "old.lane", "new.lane"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let notes: Vec<&str> = ran
        .out
        .lines()
        .filter(|it| it.starts_with("note"))
        .collect();
    let told = [
        "note: lane `big_refund`: `respond within 1h` is now `respond within 2h`",
        "`meanwhile block item` is now `meanwhile park item`",
        "`timeout { after 1h notify backup, after 4h deny }` is now `timeout { after 1h notify backup, after 4h allow \
         because \"small\" }`",
        "`operator \"Check the order, then answer.\"` is gone",
        "`reversible \"take it back\"` is new",
    ];
    assert_eq!(notes, [told.join("; ")]);
}
