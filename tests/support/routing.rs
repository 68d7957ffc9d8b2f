//! Seeded matrices of many lanes on one kind, whose clauses are filed in every way there is.
//!
//! In: a seed. Out: the text of a matrix.
//! Invariant: one seed always gives the same text, and `check` finds no error in it. Constants come
//! from vocabularies so large that keys, beginnings and bounds are worth an index, also those of
//! optional fields.

use fastrand::Rng;

const HEAD: &str = r#"matrix "Routing" {
  edition 1
  timezone "Europe/Berlin"
  otherwise allow
  unreadable escalate to desk
}

event call {
  tool: text
  tenant: text optional
  path: text
  file: text optional
  name: text ignoring case optional
  risk: one of r0, r1, r2, r3, r4, r5, r6, r7, r8, r9, r10, r11, r12, r13, r14, r15, r16, r17, r18, r19, r20, r21, r22, r23, r24, r25
  mood: one of m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11 optional
  seal: one of s0, s1, s2 optional
  amount: money USD 0 to 10000 optional
  score: number 0 to 1
  tries: whole number 0 to 1000
  left: whole number optional
  night: yes/no optional
  opened: timestamp
  seen: timestamp optional
  idle: duration
  note: text optional
}

team desk {
  first group "desk"
}

"#;

/// The text of a seed's matrix.
pub fn text(seed: u64) -> String {
    let mut rng = Rng::with_seed(seed ^ 0x726f_7574);
    let mut text = HEAD.to_owned();
    for n in 0..rng.usize(0..4) {
        let what = ["always deny", "always allow"][rng.usize(0..2)];
        text.push_str(&format!(
            "{what} rule_{n} on call when {}\n\n",
            when(&mut rng)
        ));
    }
    // Every third matrix has lanes that ask for nothing but phrases, some of which lie in others.
    let phrases = if seed.is_multiple_of(3) { 50 } else { 0 };
    for n in 0..phrases + rng.usize(30..=140) {
        let urgency = ["low", "normal", "high"][rng.usize(0..3)];
        let unless = match rng.usize(0..6) {
            0 => format!("  unless {}\n", test(&mut rng)),
            _ => String::new(),
        };
        let unsure = match rng.usize(0..8) {
            0 => "  unsure deny\n",
            1 if urgency != "high" => "  unsure skip because \"rare\"\n",
            _ => "",
        };
        let hold = ["slow", "hold", "block"][rng.usize(0..3)];
        let scope = ["item", "workflow", "system"][rng.usize(0..3)];
        text.push_str(&format!(
            "lane lane_{n} {{\n  on call\n  when {}\n{unless}{unsure}  owner desk\n  urgency \
             {urgency}\n  respond within 1h\n  meanwhile {hold} {scope}\n  evidence {{\n    \
             required input\n  }}\n  timeout {{\n    after 2h deny\n  }}\n}}\n\n",
            if n < phrases {
                phrase(&mut rng, n)
            } else {
                when(&mut rng)
            }
        ));
    }
    text
}

fn phrase(rng: &mut Rng, n: usize) -> String {
    let more = ["", " if present", " and tries > 400", " and mood is m1"][rng.usize(0..4)];
    format!("note contains \"p{n}\"{more}")
}

/// One to six tests that all must hold; of some, one of several.
fn when(rng: &mut Rng) -> String {
    let count = rng.usize(1..=6);
    let parts = (0..count).map(|_| match rng.usize(0..8) {
        0 => {
            let ways = (0..rng.usize(2..=4)).map(|_| test(rng));
            format!("({})", ways.collect::<Vec<_>>().join(" or "))
        }
        1 => format!("not {}", test(rng)),
        _ => test(rng),
    });
    parts.collect::<Vec<_>>().join(" and ")
}

fn test(rng: &mut Rng) -> String {
    let text = test_of(rng);
    match rng.usize(0..7) {
        0 if !text.contains(" is missing") => format!("{text} if present"),
        _ => text,
    }
}

fn test_of(rng: &mut Rng) -> String {
    let not = ["", "", "", "not "][rng.usize(0..4)];
    let is = ["is", "is", "is", "is not"][rng.usize(0..4)];
    let order = ["<", "<=", ">", ">="][rng.usize(0..4)];
    match rng.usize(0..17) {
        0 | 1 => {
            let (field, of) = [("tool", 40), ("tenant", 60), ("name", 30)][rng.usize(0..3)];
            format!("{field} {is} \"{field}-{}\"", rng.usize(0..of))
        }
        2 => {
            let (field, of) = [("tool", 40), ("tenant", 60), ("name", 30)][rng.usize(0..3)];
            let texts = several(rng, 10, of, &format!("{field}-"), "\"");
            format!("{field} {not}in ({texts})")
        }
        3..=5 => {
            let field = ["path", "file", "file", "name"][rng.usize(0..4)];
            format!("{field} {not}starts with \"{}\"", beginning(rng))
        }
        6 => format!("risk {is} r{}", rng.usize(0..26)),
        7 => format!("mood {is} m{}", rng.usize(0..12)),
        8 => {
            let (field, letter, of) =
                [("risk", "r", 26), ("mood", "m", 12), ("seal", "s", 3)][rng.usize(0..3)];
            let words = several(rng, 10, of, letter, "");
            format!("{field} {not}in ({words})")
        }
        9 => {
            let field = ["tenant", "file", "mood", "seal", "amount", "night"][rng.usize(0..6)];
            format!("{field} is missing")
        }
        10 => format!(
            "amount {order} {}.{} USD",
            rng.usize(0..10_000),
            rng.usize(0..10)
        ),
        11 => format!("score {order} 0.{:03}", rng.usize(0..1_000)),
        12 => format!("tries {order} {}", rng.usize(0..1_000)),
        13 => format!("left {order} {}", rng.i64(-50..50)),
        14 => match rng.usize(0..3) {
            0 => format!("night {is} yes"),
            1 => format!("idle {order} {}s", rng.usize(1..5_000)),
            _ if rng.bool() => format!("note {not}contains \"p{}\"", rng.usize(0..60)),
            _ => format!("path {not}contains \"/{}/\"", rng.usize(0..6)),
        },
        15 => {
            let field = ["opened", "seen"][rng.usize(0..2)];
            let side = ["older", "newer"][rng.usize(0..2)];
            format!("{field} {side} than {}h", rng.usize(1..400))
        }
        _ => match rng.usize(0..4) {
            0 => "tenant same as tool".to_owned(),
            // Both may be missing.
            3 => "tenant differs from file".to_owned(),
            1 => format!("seen {order} opened"),
            _ => format!("tries {order} left"),
        },
    }
}

/// Beginnings of many lengths, some of them beginnings of others.
fn beginning(rng: &mut Rng) -> String {
    let mut text = format!("/{}", ["a", "be", "gam", "delt"][rng.usize(0..4)]);
    for _ in 0..rng.usize(0..3) {
        text.push_str(&format!("/{}", rng.usize(0..12)));
    }
    text
}

fn several(rng: &mut Rng, most: usize, of: usize, start: &str, quote: &str) -> String {
    let mut numbers: Vec<usize> = (0..of).collect();
    rng.shuffle(&mut numbers);
    numbers.truncate(rng.usize(1..=most));
    let words = numbers.iter().map(|n| format!("{quote}{start}{n}{quote}"));
    words.collect::<Vec<_>>().join(", ")
}
