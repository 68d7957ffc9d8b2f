//! Comments in every position, and blank lines.

use super::format::format;

#[test]
fn comments_keep_their_places() {
    insta::assert_snapshot!(format(r#"
# The file.

# The people.
import "people.lane"    # by hand   
lane   risky{# about nothing
   # The kinds.
on a,b # two
  about "x # y" # c }

     # When.
  when any of { # one of them
    # first
    a # why a

    b and c
    # nothing more
  }# end of when

  # end of lane
} # end

# The end.
# Really."#), @r#"
    # The file.

    # The people.
    import "people.lane"  # by hand

    lane risky {  # about nothing
      # The kinds.
      on a, b  # two
      about "x # y"  # c }

      # When.
      when any of {  # one of them
        # first
        a  # why a

        b and c
        # nothing more
      }  # end of when

      # end of lane
    }  # end

    # The end.
    # Really.
    "#);
}

#[test]
fn comments_inside_a_line_go_above_it() {
    insta::assert_snapshot!(format("
action save \"Save\"

list kinds is a, # the first
  # and then
  b, c # the last
sample good is call { # a call
  a = (x, # one
    y), # both
  # more
  b = z }
lane l {
  on a, # which
    b
  when (a or # or
    (b and # and
    c)) and d # done
  example \"t\" good with { # good
    a = x # an x
  } -> unsure # really
  when any of { d }
}
"), @r#"
    action save "Save"

    # the first
    # and then
    list kinds is a, b, c  # the last

    sample good is call {  # a call
      # one
      a = (x, y)  # both
      # more
      b = z
    }

    lane l {
      # which
      on a, b
      # or
      # and
      when (a or (b and c)) and d  # done
      # good
      # an x
      example "t" good with { a = x } -> unsure  # really
      when any of {
        d
      }
    }
    "#);
}

#[test]
fn comments_between_the_lines_of_a_condition() {
    insta::assert_snapshot!(format("
lane l {
  when (a or any of { # open
    # in b
    b # b
    # behind b
  } # closed
  or any of {
    # nothing
  }
    # in parens
  or f ) and not any of { c } # c
}
"), @r"
    lane l {
      when (a or any of {  # open
        # in b
        b  # b
        # behind b
        # closed
      } or any of {
        # nothing
        # in parens
      } or f) and not any of {
        c
      }  # c
    }
    ");
}

#[test]
fn comments_of_opened_and_wrapped_lines() {
    let long = "a_name_of_thirty_two_characters_";
    let text = format!(
        "lane l {{
  # one
  example \"t\" {long} with {{ # two
    {long} = {long}, # three
    # four
    b = ({long}, # five
      {long}, {long}) # six
    # seven
  }} -> unsure # eight
  on {long}, {long}, # nine
    {long} # ten
}}
"
    );
    insta::assert_snapshot!(format(&text), @r#"
    lane l {
      # one
      example "t" a_name_of_thirty_two_characters_ with {  # two
        a_name_of_thirty_two_characters_ = a_name_of_thirty_two_characters_  # three
        # four
        # five
        b = (a_name_of_thirty_two_characters_, a_name_of_thirty_two_characters_,
            a_name_of_thirty_two_characters_)  # six
        # seven
      } -> unsure  # eight
      # nine
      on a_name_of_thirty_two_characters_, a_name_of_thirty_two_characters_,
          a_name_of_thirty_two_characters_  # ten
    }
    "#);
}

#[test]
fn blank_lines_within_blocks() {
    insta::assert_snapshot!(format("
lane l {

  about \"x\"



  on a
  when any of {

    a

    b

  }

  # last

}
"), @r#"
    lane l {
      about "x"

      on a
      when any of {
        a

        b
      }

      # last
    }
    "#);
}

#[test]
fn blank_lines_between_items() {
    insta::assert_snapshot!(format("


import \"a\"


import \"b\"
# Saves.
action s \"Save\"
# The lane.
# Both lines.
lane l { on a }
lane m { on a }
# Apart from what follows.

lane n { on a }
# Behind n.
action t \"T\"
condition c means any of { a
b }
condition d means a
condition e means b
# The end."), @r#"
    import "a"

    import "b"
    # Saves.
    action s "Save"

    # The lane.
    # Both lines.
    lane l {
      on a
    }

    lane m {
      on a
    }

    # Apart from what follows.

    lane n {
      on a
    }

    # Behind n.
    action t "T"

    condition c means any of {
      a
      b
    }

    condition d means a
    condition e means b
    # The end.
    "#);
}

#[test]
fn comments_alone() {
    assert_eq!(format(""), "");
    assert_eq!(format("\n\n"), "");
    assert_eq!(format("  # a\n\n\n #b"), "# a\n\n#b\n");
    assert_eq!(format("lane l {} # c\n"), "lane l {\n}  # c\n");
    assert_eq!(format("lane l { # c\n}"), "lane l {  # c\n}\n");
    assert_eq!(format("lane l {\n # }\n}"), "lane l {\n  # }\n}\n");
    assert_eq!(
        format("lane l {\n on a # }\n\n # b\n}"),
        "lane l {\n  on a  # }\n\n  # b\n}\n"
    );
    assert_eq!(
        format("import \"a\"\nlane l {\n}\n# c"),
        "import \"a\"\n\nlane l {\n}\n\n# c\n"
    );
}

#[test]
fn line_breaks_of_other_systems() {
    assert_eq!(
        format("import \"a\" # x\r\n\r\nimport \"b\"\r\n# y\r\nimport \"c\"\r\n"),
        "import \"a\"  # x\n\nimport \"b\"\n# y\nimport \"c\"\n"
    );
}
