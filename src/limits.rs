//! Every bound of the engine, with its unit and its reason.
//!
//! In: nothing, or the `[limits]` table of `laneway.toml`. Out: numbers.
//! Invariant: a bound that an author or a client can meet has its own error, and a test at its edge.

use serde::{Deserialize, Serialize};

use crate::clock::Duration;

/// The bounds that an operator may set. The defaults are far above honest use, and low enough that
/// no input makes the engine slow or large.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Bytes of one matrix file. A generated matrix of 20,000 lanes is about 16 MiB.
    pub file_bytes: usize,
    /// Bytes of all files of one matrix.
    pub matrix_bytes: usize,
    /// Files of one matrix.
    pub files: usize,
    /// Lanes of one matrix.
    pub lanes: usize,
    /// Depth of braces, parentheses and `not` in a matrix. Nobody reads deeper; parsing recurses.
    pub nesting: usize,
    /// Bytes of one string in a matrix.
    pub string_bytes: usize,
    /// Bytes of one compiled regular expression.
    pub regex_bytes: usize,
    /// Bytes of an event without its evidence.
    pub event_bytes: usize,
    /// Bytes of an event with its evidence.
    pub event_total_bytes: usize,
    /// Depth of an event's JSON, its evidence included.
    pub event_depth: usize,
    /// Events in the window of one key. A full window is `[cap, infinity)`.
    pub window_events: usize,
    /// Keys of one measure. A key beyond it is unknown, and counted.
    pub window_keys: usize,
}

impl Limits {
    /// Events in the window of one key, which are never more than [`WINDOW_EVENTS_MAX`].
    #[must_use]
    pub fn events_of_a_window(&self) -> usize {
        self.window_events.clamp(1, WINDOW_EVENTS_MAX)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            file_bytes: 16 << 20,
            matrix_bytes: 64 << 20,
            files: 1_000,
            lanes: 100_000,
            nesting: 64,
            string_bytes: 64 << 10,
            regex_bytes: 1 << 20,
            event_bytes: 256 << 10,
            event_total_bytes: 1 << 20,
            event_depth: 64,
            window_events: 10_000,
            window_keys: 1_000_000,
        }
    }
}

/// Findings that one run shows; the rest is counted (`N0902`). A broken generator makes as many
/// mistakes as lines.
pub const FINDINGS: usize = 10_000;

/// How deep a trigger may be with all its named conditions in place. Each level is a call when it
/// is checked and when it is evaluated.
pub const EXPRESSION_DEPTH: usize = 128;

/// Characters of a JSON number in plain notation, the sign and point included. The largest double
/// has 309 digits, so no number of another program is refused.
pub const NUMBER_CHARS: usize = 400;

/// How deep an event's JSON may be, whatever an operator sets: reading and writing recurse.
pub const EVENT_DEPTH_MAX: usize = 512;

/// Bytes of an event's id. It is an idempotency key and a column of an index; a UUID has 36 bytes,
/// and 256 holds every id that a CloudEvents producer is known to make.
pub const EVENT_ID_BYTES: usize = 256;

/// Problems that one event lists; the rest is counted. A broken producer makes one per member.
pub const EVENT_PROBLEMS: usize = 100;

/// Characters of a value or name from an event that a message shows: enough to find it.
pub const SHOWN_CHARS: usize = 40;

/// Members of an event that are looked at for slips of a field's name. Honest events have fewer;
/// comparing names is slow, and a flood of them must not be.
pub const NEAR_MEMBERS: usize = 256;

/// Characters of a name or word that is compared with declared ones for a slip. The comparison
/// takes the product of both lengths.
pub const NEAR_CHARS: usize = 128;

/// Kinds that `schema infer` tells apart. Beyond it the kinds are rather ids.
pub const INFER_KINDS: usize = 1_000;

/// Members of all kinds that `schema infer` tells apart. Beyond it the names are rather data. One
/// takes less than a kilobyte.
pub const INFER_MEMBERS: usize = 20_000;

/// Distinct words of a member that may be a closed set. Nobody writes a longer one by hand.
pub const INFER_WORDS: usize = 12;

/// Comparisons of names with declared ones that one check makes to suggest what was meant. A
/// person's matrix has some hundred names and a few slips; a broken generator may have 100,000 of
/// both.
pub const NEAR_COMPARISONS: usize = 2_000_000;

/// Texts of tests and lists that are compared for slips. Each is kept under every spelling with one
/// letter left out; lists written by hand have some hundred.
pub const SLIPS_COMPARED: usize = 20_000;

/// Steps that looking for adjusts that clash takes: one for each two of them, and one for each value
/// of the shorter of two sets that they ask for. A matrix has a few adjusts; all of 4,000 are
/// compared.
pub const ADJUSTS_COMPARED: usize = 10_000_000;

/// Events in the window of one key, whatever an operator sets: a place in a window takes 16 bits.
pub const WINDOW_EVENTS_MAX: usize = 60_000;

/// The last events of a key whose ids are kept, and that a reason lists.
pub const WINDOW_IDS: usize = 8;

/// The longest window of a measure: a history is kept that long.
pub const WINDOW: Duration = Duration::from_minutes(31 * 24 * 60);

/// How late an event may be and still be put in its place in a window.
pub const LATENESS: Duration = Duration::from_minutes(2);

/// How late an event may be at most, whatever an operator sets for its source: windows are kept for so
/// much longer.
pub const LATENESS_MAX: Duration = Duration::from_minutes(24 * 60);

/// How far ahead of the clock an event may claim to be: clocks differ by seconds.
pub const FUTURE: Duration = Duration::from_minutes(1);

/// How far the clock may go back before what was counted ahead of it is given up. What lies less far
/// ahead is caught up with.
pub const CLOCK_JUMP: Duration = Duration::from_minutes(60);

/// The absolute cap of an escalation (design, lifecycle 4): no timeout step lies beyond it.
pub const TIMEOUT: Duration = Duration::from_minutes(30 * 24 * 60);

/// How far ahead open time of a calendar is looked for. Longer closures are a mistake.
pub const CALENDAR_SEARCH_DAYS: i64 = 3_660;

/// Earlier events that an example may ask for with `after N of`.
pub const EXAMPLE_EVENTS: u32 = 20_000;

/// Characters of a value that a reason shows. The whole value is in the event.
pub const SAW_CHARS: usize = 200;

/// Days before the end of a calendar's exceptions at which a warning comes.
pub const EXCEPTIONS_WARNING_DAYS: i64 = 60;

/// Reminders by one `every` step. Whoever did not answer to so many does not answer to the next.
pub const STEP_REPEATS: usize = 200;

/// How late a step may be performed before the later ones of its sign-off move by its lateness
/// (design, lifecycle 4): a desk that looks every second is never so late, one that was down is.
pub const STEP_LATENESS: Duration = Duration::from_minutes(5);

/// Rounds of votes of one escalation. Each amendment starts one; people who cannot agree in so many
/// need another way to talk.
pub const ROUNDS: u32 = 100;

/// Characters of a reason or a comment. It is read by people.
pub const REMARK_CHARS: usize = 10_000;

/// Events of a group that an escalation lists one by one; more are counted.
pub const JOINED_LISTED: u32 = 100;

/// Bytes of the name of a person, a service, an agent or a group, normalised. The longest address that
/// mail can be sent to has 254 (RFC 5321, erratum 1690), and it is a column of several indexes.
pub const PRINCIPAL_BYTES: usize = 254;

/// Bytes of a user's name of the operating system: Linux has 32, and an address of a directory service
/// is no longer than a name.
pub const LOGIN_BYTES: usize = 254;

/// Bytes of the address of a channel. An URL of a chat's webhook has some 200.
pub const ADDRESS_BYTES: usize = 2_048;

/// Members of all groups and roles with their nested groups in place. They are held as lists, and
/// groups in groups multiply: a large company has some hundred thousand.
pub const MEMBERSHIPS: usize = 1_000_000;

/// Bytes of a file of people that is named by a configuration. It is made from a directory service:
/// 100,000 people take about 8 MiB.
pub const DIRECTORY_BYTES: u64 = 16 << 20;

/// The shortest cap of an escalation: a person needs a minute to be told.
pub const LONGEST_LEAST: Duration = Duration::from_minutes(1);

/// The shortest life of a grant: its caller has to be told and to come back.
pub const GRANT_LEAST: Duration = Duration::from_millis(1_000);

/// Open escalations that an operator may allow one requester. Each is a row that a sweep looks at.
pub const OPEN_MAX: u32 = 1_000_000;

/// The shortest time for which what an escalation was about is kept after its end: an approver who is
/// asked why still finds it.
pub const RETAIN_LEAST: Duration = Duration::from_minutes(60);

/// The least jump of a clock that can be told from a slow machine.
pub const CLOCK_TOLERANCE_LEAST: Duration = Duration::from_millis(1_000);

/// The largest jump of a clock that may go unseen: a step that is performed later than this moves those
/// behind it (design, lifecycle 4), so that one that is not seen must be no larger.
pub const CLOCK_TOLERANCE_MAX: Duration = Duration::from_minutes(5);

/// Paths that are taken out before anything is stored. Each is held against the members of each
/// event.
pub const REDACT_PATHS: usize = 1_000;

/// Bytes of one such path. Paths written by hand have some dozen.
pub const REDACT_PATH_BYTES: usize = 1_024;

/// Faults that a verification of the audit keeps; the rest is counted. Who reads a report wants the
/// first ones; a store that is not one has a fault for each row.
pub const AUDIT_FAULTS: usize = 1_000;

/// How far apart two readings of a clock that jumped must be to confirm it (design, lifecycle 4).
pub const CLOCK_AGREES_AFTER: std::time::Duration = std::time::Duration::from_secs(30);

/// For how long a desk may have been down, by the wall clock alone, without its being suspect.
pub const CLOCK_GAP: Duration = Duration::from_minutes(5);

/// How long a desk has a notice to itself while it sends it.
pub const NOTICE_LEASE: Duration = Duration::from_minutes(2);

/// Seconds between the tries of a notice: close together at first, and over three and a half days in all, so
/// that a receiver may be down for a weekend. When the last has failed, it is given up.
pub const NOTICE_RETRIES: [u32; 14] = [
    1, 5, 30, 120, 300, 600, 1_800, 7_200, 18_000, 36_000, 36_000, 50_400, 72_000, 86_400,
];

/// Failed tries of a notice, the last some 18 minutes after the first, behind which its person counts as not
/// told: nobody waits for days before somebody else is asked (rule 12).
pub const NOTICE_TRIES_UNTOLD: u32 = 7;

/// Rows of the audit behind which a checkpoint is made.
pub const CHECKPOINT_ROWS: u64 = 1_000;

/// The time after which a checkpoint is made, if there is anything new.
pub const CHECKPOINT_AFTER: Duration = Duration::from_minutes(1);

/// How long an idempotency key is kept behind the end of its escalation (design, lifecycle 1).
pub const REQUESTS_KEPT: Duration = Duration::from_minutes(30 * 24 * 60);

/// Bytes of the key of what a service keeps beside escalations: a digest in hexadecimal has 64, and a name
/// with what stands before it fits too.
pub const ENTRY_KEY_BYTES: usize = 200;

/// Bytes of what is kept under such a key. A token with its scopes has some hundred; who keeps more wants
/// another place.
pub const ENTRY_BODY_BYTES: usize = 64 << 10;

/// Bytes of what a channel said of a notice: the first sentences of an answer say what is wrong.
pub const ATTEMPT_SAID: usize = 1_000;

/// Bytes of the name of a channel in the log of attempts: its kind and the longest address.
pub const ATTEMPT_CHANNEL: usize = ADDRESS_BYTES + 152;

/// How long an attempt to deliver a notice is kept: as long as a key, so that whoever asks why nobody
/// came still finds it. Attempts name people, and are no part of the audit.
pub const ATTEMPTS_KEPT: Duration = Duration::from_minutes(30 * 24 * 60);

/// Bytes of one line of a decision log: an event of the default size with its decision, several times
/// over. What is longer is written without its event.
pub const LOG_LINE_BYTES: usize = 8 << 20;

/// Lines of a decision log that are held before they are written, in bytes: some dozens.
pub const LOG_BUFFER_BYTES: usize = 64 << 10;

/// Lines of a decision log that are given to its files together.
pub const LOG_TOGETHER: usize = 32;

/// Lines that wait while another thread writes, before their own waits for it.
pub const LOG_TOGETHER_MAX: usize = 256;

/// How long a line of a decision log is held before the next one takes it along.
pub const LOG_HELD: Duration = Duration::from_millis(1_000);

/// Bytes of a decision log that are read when it is opened, to know the recent history of subjects: less
/// than a second of work.
pub const LOG_HISTORY_BYTES: u64 = 32 << 20;

/// Bytes of a decision log that one search reads, the newest first: less than a second of work. It goes on from
/// there when it is asked to.
pub const LOG_SEARCH_BYTES: u64 = 32 << 20;

/// By how much a line of a decision log may stand before one that was received earlier: threads wait for each
/// other far shorter than this.
pub const LOG_SEARCH_SLACK: Duration = Duration::from_minutes(10);

/// Earlier decisions that are known of one subject. Nobody reads more of them in an evidence packet.
pub const HISTORY_ENTRIES: usize = 100;

/// Earlier decisions in an evidence packet of which no lane says how many it asks for.
pub const HISTORY_SHOWN: usize = 20;

/// Subjects whose earlier decisions are known; the one that was quiet the longest is forgotten.
pub const HISTORY_SUBJECTS: usize = 100_000;

/// Earlier decisions that are known of all subjects together: some two hundred bytes each.
pub const HISTORY_TOTAL: usize = 500_000;

/// Subjects that one event is filed under: one for each different `group by` of a matrix.
pub const EVENT_SUBJECTS: usize = 16;

/// Ended escalations of a lane from which on something is said of all of them.
pub const STATISTICS_SURE: u64 = 20;

/// How long a connection waits for another process that writes the same file: longer than any transaction
/// takes, and not so long that a caller takes the server for dead.
pub const STORE_BUSY: std::time::Duration = std::time::Duration::from_secs(5);

/// A list of what is pending is read from one of its filters where that has at most so many, and put in
/// order; else it is read in order, and there is enough that matches.
pub const STORE_FEW: u32 = 4_000;

/// What the connection that writes keeps of its file: the inner pages of every index of a million
/// escalations, and what one batch changes.
pub const STORE_CACHE_KIB: u32 = 64 * 1_024;

/// Statements that a connection keeps prepared: all that there are, and some forms of lists.
pub const STORE_STATEMENTS: usize = 128;

/// Units of work that are made durable together: the wait for the disk is shared by so many, and none waits
/// for more than so many others.
pub const STORE_BATCH: usize = 256;

/// Connections that read at the same time; more wait. Each has a cache of pages of its own.
pub const STORE_READERS: usize = 8;

/// Connections of one server to its database. Each is a process there; a transaction takes a
/// millisecond or two, so that more would only wait for each other.
pub const POSTGRES_CONNECTIONS: usize = 8;

/// Matrices of which a connection to a database remembers that they are kept. A server opens escalations
/// under one, and under another after each change of it: what is forgotten is only asked for again.
pub const POSTGRES_MATRICES: usize = 64;

/// How often work runs again that met other work in a database. Pauses between grow to a quarter of a
/// second: who loses so often gets an answer instead.
pub const POSTGRES_RERUNS: u32 = 10;

/// Bytes of a batch of events over HTTP.
pub const BATCH_BYTES: usize = 16 << 20;

/// Events of a batch over HTTP: they are decided one after the other, and answered together.
pub const BATCH_EVENTS: usize = 1_000;

/// The longest wait of one request for an answer: proxies cut what takes a minute.
pub const LONG_POLL: std::time::Duration = std::time::Duration::from_secs(55);
