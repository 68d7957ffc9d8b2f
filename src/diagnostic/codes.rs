//! The table of codes. A code is stable: it is never given another meaning and never used again.
//!
//! In: nothing. Out: [`Code`] with its title, severity and page.
//! Invariant: each code has a page in `grammar/codes/`, a fixture and a snapshot; a test fails when
//! one lacks any.

use std::fmt;

use super::Severity;

/// A stable code of a diagnostic, such as `E0307`. The letter is the severity.
#[derive(Clone, Copy)]
pub struct Code {
    name: &'static str,
    title: &'static str,
    page: &'static str,
}

impl Code {
    /// The code itself, `E0307`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.name
    }

    /// What the code stands for, in a few words.
    #[must_use]
    pub fn title(self) -> &'static str {
        self.title
    }

    /// Its page of the reference: why, a wrong and a right example.
    #[must_use]
    pub fn page(self) -> &'static str {
        self.page
    }

    /// How bad it is: `E` an error, `W` a warning, `N` a note.
    #[must_use]
    pub fn severity(self) -> Severity {
        match self.name.as_bytes().first() {
            Some(b'E') => Severity::Error,
            Some(b'W') => Severity::Warning,
            _ => Severity::Note,
        }
    }

    /// Finds a code by its text, in any case.
    #[must_use]
    pub fn find(text: &str) -> Option<Self> {
        ALL.iter()
            .copied()
            .find(|code| code.name.eq_ignore_ascii_case(text))
    }
}

impl PartialEq for Code {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Code {}

impl PartialOrd for Code {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Code {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.name.cmp(other.name)
    }
}

impl std::hash::Hash for Code {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

macro_rules! codes {
    ($($constant:ident = $name:literal $title:literal;)*) => {
        $(
            #[doc = $title]
            pub const $constant: Code = Code {
                name: $name,
                title: $title,
                page: include_str!(concat!("../../grammar/codes/", $name, ".md")),
            };
        )*

        /// Every code, in order.
        pub const ALL: &[Code] = &[$($constant),*];
    };
}

codes! {
    // Files.
    FILE_TOO_LARGE = "E0101" "a file is too large";
    MATRIX_TOO_LARGE = "E0102" "the files of a matrix are too large together";
    NOT_UTF8 = "E0103" "a file is not UTF-8";
    CONTROL_CHARACTER = "E0104" "a control character in the text";
    BIDI_CONTROL = "E0105" "a character that hides text from a reviewer";
    NESTING_TOO_DEEP = "E0106" "nested too deep";
    STRING_TOO_LONG = "E0107" "a string is too long";
    TOO_MANY_LANES = "E0108" "too many lanes";
    TOO_MANY_FILES = "E0109" "too many files";
    FILE_UNREADABLE = "E0110" "a file cannot be read";
    IMPORT_OUTSIDE = "E0111" "an import leaves the folder of the root file";
    IMPORT_CYCLE = "E0112" "imports form a cycle";

    // Syntax.
    SYNTAX = "E0201" "a line that cannot be read";
    UNKNOWN_ITEM = "E0202" "no such item";
    UNKNOWN_CLAUSE = "E0203" "no such clause here";
    UNCLOSED_BRACE = "E0204" "a brace is never closed";
    UNOPENED_BRACE = "E0205" "a closing brace without an opening one";
    UNTERMINATED_STRING = "E0206" "a string is not closed on its line";
    BAD_ESCAPE = "E0207" "no such escape in a string";
    MIXED_AND_OR = "E0208" "`and` and `or` mixed without parentheses";
    BAD_NAME = "E0209" "not a name";
    RESERVED_WORD = "E0210" "a reserved word used as a name";
    BAD_NUMBER = "E0211" "not a number";
    BAD_DURATION = "E0212" "not a duration";
    BAD_TIME = "E0213" "not a date, an instant or a time of day";
    FOREIGN_OPERATOR = "E0214" "an operator of another language";
    DUPLICATE_CLAUSE = "E0215" "a clause given twice";
    UNCLOSED_PARENTHESIS = "E0216" "a parenthesis is never closed";
    UNTERMINATED_REGEX = "E0217" "a regular expression is not closed on its line";

    // Names and declarations.
    NO_MATRIX_BLOCK = "E0301" "no `matrix` block";
    SECOND_MATRIX_BLOCK = "E0302" "more than one `matrix` block";
    MATRIX_NOT_IN_ROOT = "E0303" "a `matrix` block in an imported file";
    MATRIX_CLAUSE_MISSING = "E0304" "a clause of the `matrix` block is missing";
    DUPLICATE_NAME = "E0305" "a name declared twice";
    UNKNOWN_KIND = "E0306" "no such event kind";
    UNKNOWN_FIELD = "E0307" "no such field";
    UNKNOWN_TEAM = "E0308" "no such team";
    UNKNOWN_ACTION = "E0309" "no such action";
    UNKNOWN_LIST = "E0310" "no such list";
    UNKNOWN_CONDITION = "E0311" "no such condition";
    UNKNOWN_CALENDAR = "E0312" "no such calendar";
    UNKNOWN_SAMPLE = "E0313" "no such sample";
    UNKNOWN_DECIDER = "E0314" "no such lane or rule";
    CONDITION_CYCLE = "E0315" "conditions that need each other";
    UNKNOWN_ZONE = "E0316" "no such time zone";
    UNKNOWN_EDITION = "E0317" "no such edition";
    FIELD_NOT_IN_EVERY_KIND = "E0318" "a field that some kinds lack";
    FIELD_TYPES_DIFFER = "E0319" "a field with different types";
    CONDITIONS_TOO_DEEP = "E0320" "conditions nested too deep";
    DUPLICATE_FIELD = "E0331" "a field declared twice";
    FIELD_PREFIX = "E0332" "a field inside another field";
    RESERVED_FIELD = "E0333" "a field with a reserved name";
    JSON_NAME_CLASH = "E0334" "two fields at one place of the JSON";
    BAD_RANGE = "E0335" "a range that holds nothing";
    DUPLICATE_VALUE = "E0336" "a value listed twice";
    BAD_DEFAULT = "E0337" "a default that does not fit its field";
    NESTED_LIST = "E0338" "a list of lists";
    DUPLICATE_SOURCE_NAME = "E0339" "two kinds with one source name";
    CALENDAR_NEVER_OPEN = "E0351" "a calendar that is never open";
    BAD_HOURS = "E0352" "hours that hold no time";
    EXCEPT_REVERSED = "E0353" "an exception that ends before it starts";
    TEAM_WITHOUT_FIRST = "E0354" "a team without a first contact";
    QUORUM_UNREACHABLE = "E0355" "a quorum that the team cannot reach";
    BAD_QUORUM = "E0356" "a quorum of more people than it names";
    CONTACT_TWICE = "E0357" "a contact named twice in one team";

    // Types.
    TYPE_MISMATCH = "E0401" "a value that does not fit its field";
    UNKNOWN_VALUE = "E0402" "no such value of this field";
    TEST_NOT_FOR_TYPE = "E0403" "a test that this type does not have";
    BARE_YES_NO = "E0404" "a yes/no field without a test";
    FIELD_EQUALITY = "E0405" "two fields compared with `is`";
    CURRENCY_MISMATCH = "E0406" "two currencies";
    OUT_OF_RANGE = "E0407" "a value outside the declared range";
    BAD_REGEX = "E0408" "not a regular expression";
    REGEX_TOO_LARGE = "E0409" "a regular expression is too large";
    IS_NOT_MISSING = "E0410" "`is not missing`";
    BAD_COUNT = "E0411" "a count that makes a block always or never true";

    // Lanes and rules.
    CLAUSE_MISSING = "E0501" "a lane without a required clause";
    CRITICAL_RUNS_ON = "E0502" "a critical lane that lets the action run";
    SKIP_TOO_URGENT = "E0503" "an urgent lane that skips what it cannot rule out";
    ALLOW_NOT_REVERSIBLE = "E0504" "an approval from silence without a way back";
    ALLOW_TOO_URGENT = "E0505" "an approval from silence on an urgent lane";
    NO_END = "E0506" "a timeout that never ends";
    STEP_AFTER_END = "E0507" "a step after the end";
    STEPS_NOT_GROWING = "E0508" "a step that is not later than the one before";
    STEP_CALENDAR = "E0509" "a step that leaves the calendar of the one before";
    RESPOND_TOO_LATE = "E0510" "a response expected after the end";
    NOTHING_TO_REPEAT = "E0511" "`every` without a step to repeat";
    NO_BACKUP_TO_NOTIFY = "E0512" "a backup notified that the team does not have";
    NAMED_TWICE = "E0513" "named twice in one list";
    TIMEOUT_TOO_LONG = "E0514" "a timeout beyond the longest one";

    // Measures.
    MEASURE_KEY_OPTIONAL = "E0601" "a measure over a field that can be missing";
    SUM_NOT_FROM_ZERO = "E0602" "a sum over a field that can be negative";
    SUM_NOT_FOR_TYPE = "E0603" "a sum over a field that cannot be summed";
    MEASURE_IN_WHERE = "E0604" "a measure inside a measure";
    THRESHOLD_TOO_LARGE = "E0605" "a threshold that a window cannot hold";
    WINDOW_TOO_LONG = "E0606" "a window that is too long";

    // Examples.
    EXAMPLE_FAILED = "E0701" "an example that does not do what it says";
    NOT_FOR_SCENARIO = "E0702" "an expectation that needs a lane";
    BAD_HISTORY = "E0703" "a history that cannot be made";

    // Lints.
    ONE_OWNER = "W0801" "one owner for every lane";
    NO_BACKUP = "W0802" "an urgent lane without a backup";
    BACKUP_IS_FIRST = "W0803" "a backup that is the first contact";
    WIDE_SCOPE = "W0804" "a wide hold for a single event";
    EVIDENCE_THIN = "W0805" "evidence that leaves the owner guessing";
    CONFIDENCE_ALONE = "W0806" "a confidence score as the only trigger";
    OFTEN_UNSURE = "W0807" "a lane that an optional field leaves unsure";
    MEASURE_WITHOUT_GROUP = "W0808" "a measure without `group by`";
    NO_LOWER_BOUND = "W0809" "a number bounded from one side only";
    TEXT_SLIP = "W0810" "two texts one slip apart";
    TIMEOUT_ALLOWS = "W0811" "a timeout that ends in `allow`";
    RUNS_UNTIL_DENIED = "W0812" "an action that runs on until it is denied";
    ADJUSTS_CLASH = "W0813" "two adjusts of one field";
    NO_OPERATOR = "W0814" "a lane that does not tell its owner what to do";
    NO_ABOUT = "W0815" "a lane that does not say what it is about";
    NO_FIRING_EXAMPLE = "W0816" "a lane without an example that fires";
    NO_QUIET_EXAMPLE = "W0817" "a lane without an example that does not fire";
    PERSON_IN_TWO_TEAMS = "W0818" "a person in two teams";
    EXCEPTIONS_END_SOON = "W0819" "a calendar whose exceptions end soon";
    UNUSED = "W0820" "declared and never used";
    SAME_TEST_TWICE = "W0821" "the same test written twice";
    ALWAYS_THE_SAME = "W0822" "a test that always gives the same answer";
    TRIAL_OVER = "W0823" "a trial that is over";
    SMALLER_QUORUM = "W0824" "a route to a smaller quorum";
    BYTE_ORDER_MARK = "W0825" "a byte order mark";
    CARRIAGE_RETURN = "W0826" "lines that end in CR LF";

    // What all events show.
    NEVER_MET = "W0901" "a lane or rule that no event meets";
    HIDDEN_LANE = "W0902" "a lane hidden by `always deny`";
    LANES_CONTRADICT = "W0903" "lanes that contradict each other";
    PROMISE_BROKEN = "W0904" "a promise that an event breaks";
    CHANGES_NOTHING = "W0905" "a part of a trigger that changes nothing";
    ADJUSTS_DIFFER = "W0906" "two adjusts that set one field differently";

    // Notes.
    EXAMPLES_NOT_RUN = "N0901" "examples that did not run";
    MORE_FINDINGS = "N0902" "more findings than are shown";
    OPT_OUT = "N0903" "a way out of the strict reading of missing values";
}
