use super::*;
use proptest::prelude::*;

fn csv(text: &str) -> Table {
    Table::from_csv(text, &CsvOptions::default()).unwrap()
}

fn kinds(table: &Table) -> Vec<&'static str> {
    table.columns().iter().map(|(_, c)| c.kind().name()).collect()
}

fn text(s: &str) -> Value {
    Value::Text(s.into())
}

#[test]
fn types_are_inferred_only_when_every_cell_parses() {
    let t = csv(
        "code,flag,n,x,when,mixed,empty\n007,true,1,1,2020-01-05,1,\n012,False,,nan,2020-02-01T10:30,a,\n",
    );
    assert_eq!(
        kinds(&t),
        [
            "string", "boolean", "integer", "number", "time", "string", "number"
        ]
    );
    assert_eq!(t.value(0, "code").unwrap(), text("007"));
    assert_eq!(t.value(1, "n").unwrap(), Value::Missing);
    assert_eq!(t.value(1, "x").unwrap(), Value::Missing);
    assert_eq!(
        t.value(0, "when").unwrap(),
        Value::Time("2020-01-05T00:00:00Z".parse().unwrap())
    );
    assert_eq!(
        t.value(1, "when").unwrap(),
        Value::Time("2020-02-01T10:30:00Z".parse().unwrap())
    );
    assert_eq!(t.value(0, "mixed").unwrap(), text("1"));
}

#[test]
fn digits_that_would_be_lost_stay_text() {
    let t = csv("a,b,c,d\n12345678901234567890,0.5,00.5,-01\n1,-0.25,1,2\n");
    assert_eq!(kinds(&t), ["string", "number", "string", "string"]);
    // A country code of Namibia is not a missing number.
    assert_eq!(kinds(&csv("iso,n\nNA,1\nDE,NA\n")), ["string", "string"]);
    let options = CsvOptions {
        missing: vec!["NA".into()],
        ..Default::default()
    };
    let t = Table::from_csv("iso,n\nNA,1\nDE,NA\n", &options).unwrap();
    assert_eq!(kinds(&t), ["string", "integer"]);
    assert_eq!(t.value(0, "iso").unwrap(), Value::Missing);
}

#[test]
fn headers_marks_and_delimiters() {
    let t = Table::from_csv("\u{feff}a; b ;;a\r\n1;2,5;3;4\r\n", &CsvOptions::default()).unwrap();
    assert_eq!(t.names().collect::<Vec<_>>(), ["a", "b", "column_3", "a_2"]);
    assert_eq!(kinds(&t), ["integer", "string", "integer", "integer"]);
    assert_eq!(csv("\"a;b\",c\n1,2\n").names().collect::<Vec<_>>(), ["a;b", "c"]);
    assert_eq!(csv("a\n1\n").rows(), 1);
    assert_eq!(csv("a,b\n").rows(), 0);
    let quoted = csv("a,b\n\"say \"\"x\"\",\nnext\",1\n");
    assert_eq!(quoted.value(0, "a").unwrap(), text("say \"x\",\nnext"));
}

#[test]
fn bad_csv_names_the_line() {
    let error = |bytes: &[u8], options: &CsvOptions| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("t.csv");
        std::fs::write(&path, bytes).unwrap();
        let error = Table::read_csv(&path, options).unwrap_err().to_string();
        error.replace(&path.display().to_string(), "t.csv")
    };
    let plain = CsvOptions::default();
    assert_eq!(
        error(b"a,b\n1,2\n\"x\ny\",3\n4\n", &plain),
        "t.csv: line 5 has 1 cells, the header has 2 (delimiter `,`)"
    );
    assert_eq!(
        error(b"", &plain),
        "t.csv: is empty; a table needs a line with the names of its columns"
    );
    assert!(error(b"a\nM\xfcnchen\n", &plain).starts_with("t.csv: line 2 is not UTF-8"));
    assert_eq!(
        error(b"\xff\xfea\0", &plain),
        "t.csv: is UTF-16; save it as UTF-8"
    );
    let types = CsvOptions {
        types: vec![("b".into(), ColumnType::Integer)],
        ..Default::default()
    };
    assert_eq!(
        error(b"a,b\n1,2\n1,x\n", &types),
        "t.csv: line 3, column `b`: `x` is not an integer"
    );
    let types = CsvOptions {
        types: vec![("heigt".into(), ColumnType::Float)],
        ..Default::default()
    };
    assert_eq!(
        error(b"height\n1\n", &types),
        "no column `heigt`; did you mean `height`?"
    );
    let missing = Table::read_csv(std::path::Path::new("no/such.csv"), &plain).unwrap_err();
    assert!(
        missing
            .to_string()
            .starts_with("no such file: no/such.csv (looked in ")
    );
    let delimiter = CsvOptions {
        delimiter: Some('é'),
        ..Default::default()
    };
    assert!(Table::from_csv("a\n1\n", &delimiter).is_err());
}

#[test]
fn written_csv_reads_back_the_same() {
    let t = csv(
        "name,n,x,day,at,ok\n\"a, \"\"b\"\"\",1,0.1,2020-01-05,2020-01-05T10:00:00.5Z,true\n,,,,,\n\"\nz\",-3,1e300,1999-12-31,2020-01-05,false\n",
    );
    assert_eq!(
        kinds(&t),
        ["string", "integer", "number", "time", "time", "boolean"]
    );
    let folder = tempfile::tempdir().unwrap();
    for (name, delimiter) in [("t.csv", b','), ("t.tsv", b'\t')] {
        let path = folder.path().join(name);
        t.write_csv(&path, &CsvOptions::default()).unwrap();
        assert!(std::fs::read(&path).unwrap()[4] == delimiter);
        let back = Table::read_csv(&path, &CsvOptions::default()).unwrap();
        assert_eq!(
            t.to_csv(&CsvOptions::default()).unwrap(),
            back.to_csv(&CsvOptions::default()).unwrap()
        );
        assert_eq!(kinds(&t), kinds(&back));
    }
    let out = t.to_csv(&CsvOptions::default()).unwrap();
    assert!(
        out.contains("1e300") && out.contains(",2020-01-05,2020-01-05T10:00:00.5Z,"),
        "{out}"
    );
}

proptest! {
    #[test]
    fn numbers_survive_csv(values in prop::collection::vec(prop::num::f64::NORMAL | prop::num::f64::ZERO, 1..20)) {
        let t = Table::new(vec![("x".into(), Column::floats(values.clone()))]).unwrap();
        let back = csv(&t.to_csv(&CsvOptions::default()).unwrap());
        prop_assert_eq!(back.column("x").unwrap().to_f64().unwrap(), values);
    }
}

#[test]
fn rows_of_different_fields_make_one_table() {
    let row = |pairs: &[(&str, Value)]| pairs.iter().map(|(n, v)| (n.to_string(), v.clone())).collect();
    let t = Table::from_rows([
        row(&[("a", Value::Integer(1))]),
        row(&[("b", text("x")), ("a", Value::Float(2.5))]),
        row(&[("c", Value::Bool(true)), ("b", Value::Integer(5))]),
    ])
    .unwrap();
    assert_eq!(t.names().collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!(kinds(&t), ["number", "string", "boolean"]);
    assert_eq!(t.value(2, "a").unwrap(), Value::Missing);
    assert_eq!(t.value(2, "b").unwrap(), text("5"));
    assert_eq!(t.value(0, "c").unwrap(), Value::Missing);
    assert_eq!(
        Table::from_rows(Vec::<Vec<(String, Value)>>::new())
            .unwrap()
            .rows(),
        0
    );
}

fn cities() -> Table {
    csv(
        "city,country,people\nOslo,NO,700\nBergen,NO,290\nUlm,DE,126\nMunich,DE,1500\nNowhere,,\nDresden,DE,\n",
    )
}

#[test]
fn sort_is_stable_with_missing_values_last() {
    let key = |c: &str, descending| SortKey {
        column: c.into(),
        descending,
    };
    let names = |t: Table| {
        t.column("city")
            .unwrap()
            .values()
            .map(|v| v.to_string())
            .collect::<Vec<_>>()
            .join(" ")
    };
    let t = cities();
    assert_eq!(
        names(t.sort(&[key("people", false)]).unwrap()),
        "Ulm Bergen Oslo Munich Nowhere Dresden"
    );
    assert_eq!(
        names(t.sort(&[key("people", true)]).unwrap()),
        "Munich Oslo Bergen Ulm Nowhere Dresden"
    );
    let both = t.sort(&[key("country", false), key("people", true)]).unwrap();
    assert_eq!(names(both), "Munich Ulm Dresden Oslo Bergen Nowhere");
    assert_eq!(
        t.sort(&[key("poeple", false)]).unwrap_err().to_string(),
        "no column `poeple`; did you mean `people`?"
    );
}

#[test]
fn groups_are_in_order_of_appearance() {
    let aggregate = |c: &str, a: &str| Aggregate {
        column: c.into(),
        aggregation: Aggregation::parse(a).unwrap(),
        name: None,
    };
    let names = [
        "count", "sum", "mean", "std", "min", "max", "median", "p25", "first", "last",
    ];
    let all: Vec<Aggregate> = names.iter().map(|a| aggregate("people", a)).collect();
    let t = cities().group_by(&["country"], &all).unwrap();
    assert_eq!(
        t.column("country").unwrap().values().collect::<Vec<_>>(),
        [text("NO"), text("DE"), Value::Missing]
    );
    let row = |i: usize| t.row(i).skip(1).map(|(_, v)| v.as_f64()).collect::<Vec<_>>();
    let some = |v: [f64; 10]| v.map(Some).to_vec();
    assert_eq!(
        row(0),
        some([2.0, 990.0, 495.0, 205.0, 290.0, 700.0, 495.0, 392.5, 700.0, 290.0])
    );
    assert_eq!(
        row(1),
        some([
            2.0, 1626.0, 813.0, 687.0, 126.0, 1500.0, 813.0, 469.5, 126.0, 1500.0
        ])
    );
    assert_eq!(row(2)[..3], [Some(0.0), Some(0.0), None]);
    assert!(t.has("mean_people") && t.has("p25_people"));

    let whole = cities().group_by(
        &[] as &[&str],
        &[aggregate("city", "max"), aggregate("country", "distinct")],
    );
    let whole = whole.unwrap();
    assert_eq!(
        (whole.rows(), whole.value(0, "max_city").unwrap()),
        (1, text("Ulm"))
    );
    assert_eq!(whole.value(0, "distinct_country").unwrap(), Value::Integer(2));

    let error = cities()
        .group_by(&["country"], &[aggregate("city", "mean")])
        .unwrap_err()
        .to_string();
    assert_eq!(error, "column `city` must be numeric for `mean`, got a string");
    assert!(
        Aggregation::parse("meen")
            .unwrap_err()
            .to_string()
            .contains("did you mean `mean`")
    );
    assert!(Aggregation::parse("p101").is_err());
}

#[test]
fn join_follows_the_left_table() {
    let countries = csv("country,name,people\nDE,Germany,84\nFR,France,68\nNO,Norway,5\nNO,Noreg,5\n");
    let t = cities().join(&countries, &["country"], JoinKind::Inner).unwrap();
    assert_eq!(
        t.names().collect::<Vec<_>>(),
        ["city", "country", "people", "name", "people_2"]
    );
    let names: Vec<String> = t
        .column("name")
        .unwrap()
        .values()
        .map(|v| v.to_string())
        .collect();
    assert_eq!(
        names,
        [
            "Norway", "Noreg", "Norway", "Noreg", "Germany", "Germany", "Germany"
        ]
    );
    let t = cities().join(&countries, &["country"], JoinKind::Left).unwrap();
    assert_eq!(t.rows(), 8);
    assert_eq!(t.value(6, "name").unwrap(), Value::Missing);

    // Whole floats meet integers; strings do not.
    let a = csv("id,a\n1,x\n2,y\n");
    let b = csv("id,b\n2.0,z\n2.5,w\n");
    let t = a.join(&b, &["id"], JoinKind::Inner).unwrap();
    assert_eq!((t.rows(), t.value(0, "b").unwrap()), (1, text("z")));
    let c = csv("id,c\n02,z\n");
    let error = a.join(&c, &["id"], JoinKind::Inner).unwrap_err().to_string();
    assert!(
        error.contains("key column `id`")
            && error.contains("an integer here")
            && error.contains("a string there")
    );
}

#[test]
fn columns_are_selected_renamed_added_and_cast() {
    let t = cities();
    assert_eq!(
        t.select(&["people", "city"]).unwrap().names().collect::<Vec<_>>(),
        ["people", "city"]
    );
    assert_eq!(
        t.drop(&["city"]).unwrap().names().collect::<Vec<_>>(),
        ["country", "people"]
    );
    assert!(t.rename("city", "country").is_err());
    assert_eq!(t.rename("city", "town").unwrap().names().next(), Some("town"));
    let error = t
        .with_column("x", Column::floats(vec![1.0]))
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "column `x` must be 6 values long, as the other columns are, got 1"
    );
    let t = t.cast("people", ColumnType::Float).unwrap();
    assert_eq!(t.value(0, "people").unwrap(), Value::Float(700.0));
    assert_eq!(
        t.cast("people", ColumnType::Integer)
            .unwrap()
            .value(0, "people")
            .unwrap(),
        Value::Integer(700)
    );
    let error = t.cast("city", ColumnType::Time).unwrap_err().to_string();
    assert_eq!(
        error,
        "row 1 of column `city` must be something that can be read as a time, got `Oslo`"
    );
    assert!(csv("x\n1.5\n").cast("x", ColumnType::Integer).is_err());
    let days = csv("d\nx\n2020-01-05\n")
        .filter(|r| Ok(r == 1))
        .unwrap()
        .cast("d", ColumnType::Time)
        .unwrap();
    assert_eq!(days.to_csv(&CsvOptions::default()).unwrap(), "d\n2020-01-05\n");
    assert_eq!(
        csv("x\n007\n")
            .cast("x", ColumnType::Integer)
            .unwrap()
            .value(0, "x")
            .unwrap(),
        Value::Integer(7)
    );
}

#[test]
fn append_unites_columns_and_types() {
    let t = csv("a,b\n1,x\n").append(&csv("b,a,c\n2,0.5,true\n"));
    assert_eq!(
        t.to_csv(&CsvOptions::default()).unwrap(),
        "a,b,c\n1.0,x,\n0.5,2,true\n"
    );
}

#[test]
fn summary_of_numbers_and_strings() {
    let t = cities().summary();
    assert_eq!(t.rows(), 3);
    assert_eq!(t.value(2, "mean").unwrap(), Value::Float(654.0));
    assert_eq!(t.value(2, "missing").unwrap(), Value::Integer(2));
    assert_eq!(t.value(1, "distinct").unwrap(), Value::Integer(2));
    assert_eq!(t.value(0, "mean").unwrap(), Value::Missing);
}

#[test]
fn display_is_aligned_and_cut() {
    let t = csv("name,value,day\nb,1234567.891,2020-01-05\nlonger,-0.000012345678,\n,,2021-12-31\n");
    assert_eq!(
        t.to_string(),
        "table: 3 × 3 (rows × columns)\n\
         name          value  day\n\
         string       number  time\n\
         b           1234568  2020-01-05\n\
         longer  -1.23457e-5  –\n\
         –                 –  2021-12-31"
    );
    let long = Table::new(vec![
        ("i".into(), Column::integers((0..100).map(Some))),
        ("text".into(), Column::texts(vec![Some("x\ny".repeat(30)); 100])),
        ("more".into(), Column::floats(vec![0.1; 100])),
    ])
    .unwrap();
    let shown = long.render(&DisplayOptions {
        max_rows: 6,
        max_width: 38,
        max_cell: 12,
    });
    assert_eq!(
        shown,
        "table: 100 × 3 (rows × columns)\n      i  text            more\ninteger  string        number\n"
            .to_string()
            + "      0  x\\nyx\\nyx\\n…     0.1\n      1  x\\nyx\\nyx\\n…     0.1\n      2  x\\nyx\\nyx\\n…     0.1\n"
            + "      3  x\\nyx\\nyx\\n…     0.1\n… 94 rows …\n     98  x\\nyx\\nyx\\n…     0.1\n     99  x\\nyx\\nyx\\n…     0.1"
    );
    let narrow = long.render(&DisplayOptions {
        max_rows: 2,
        max_width: 10,
        max_cell: 12,
    });
    assert!(narrow.ends_with("\n… and 2 columns: text, more"), "{narrow}");
    assert_eq!(Table::default().to_string(), "table: 0 × 0 (rows × columns)");
    // Right-to-left marks and tabs must not break the lines of a terminal.
    assert!(csv("a\n\"x\ty\"\n").to_string().ends_with("x\\ty"));
}

#[test]
fn a_table_keeps_its_promises() {
    let columns = |a: usize, b: usize, name: &str| {
        Table::new(vec![
            ("a".into(), Column::floats(vec![0.0; a])),
            (name.into(), Column::floats(vec![0.0; b])),
        ])
    };
    assert!(columns(2, 2, "b").is_ok());
    assert_eq!(
        columns(2, 2, "a").unwrap_err().to_string(),
        "columns must be names that differ, got `a` twice"
    );
    assert!(columns(2, 3, "b").is_err());
    assert!(cities().value(6, "city").is_err());
}

#[test]
fn times_are_read_only_in_the_unambiguous_form() {
    let at = |s: &str| parse_time(s).map(|t| t.to_string());
    assert_eq!(at("2020-02-29").as_deref(), Some("2020-02-29T00:00:00Z"));
    assert_eq!(at("2020-01-05 10:30").as_deref(), Some("2020-01-05T10:30:00Z"));
    assert_eq!(
        at("2020-01-05T10:30:00+02:00").as_deref(),
        Some("2020-01-05T08:30:00Z")
    );
    assert_eq!(
        at(" 2020-01-05T10:30:00.25Z ").as_deref(),
        Some("2020-01-05T10:30:00.25Z")
    );
    for bad in [
        "2021-02-29",
        "05/01/2020",
        "20200105",
        "2020-1-5",
        "2020-01-05T",
        "2020-01-05x",
        "now",
        "2020-01-05T25:00",
    ] {
        assert_eq!(at(bad), None, "{bad}");
    }
}

fn read(text: &str, options: &CsvOptions) -> Table {
    Table::from_csv(text, options).unwrap()
}

/// More rows than one piece of text has; only the last cells say what the columns are.
#[test]
fn types_are_those_of_all_cells_however_long_the_text() {
    let rows = 200_000;
    let mut text = String::from("whole,number,time,flag,none,late\n");
    for i in 0..rows {
        text += &format!("{i},{i},2020-01-05T10:00:00Z,true,,\n");
    }
    let last = "x,0.5,0800-12-25T10:00:00.000001Z,1,,7\n";
    let t = csv(&(text.clone() + last));
    assert_eq!(
        kinds(&t),
        ["string", "number", "time", "string", "number", "integer"]
    );
    assert_eq!(t.rows(), rows + 1);
    assert_eq!(
        (t.value(7, "whole").unwrap(), t.value(rows, "whole").unwrap()),
        (self::text("7"), self::text("x"))
    );
    assert_eq!(
        (t.value(7, "number").unwrap(), t.value(rows, "number").unwrap()),
        (Value::Float(7.0), Value::Float(0.5))
    );
    assert_eq!(
        t.value(rows, "time").unwrap(),
        Value::Time("0800-12-25T10:00:00.000001Z".parse().unwrap())
    );
    assert_eq!(t.value(7, "flag").unwrap(), self::text("true"));
    assert_eq!(
        (
            t.column("none").unwrap().present(),
            t.column("late").unwrap().present()
        ),
        (0, 1)
    );
    // Times that no unit holds together are their texts.
    let fine = text.clone() + "1,1,1500-01-01T00:00:00.000000001Z,true,,\n";
    let t = csv(&fine);
    assert_eq!(
        t.value(rows, "time").unwrap(),
        self::text("1500-01-01T00:00:00.000000001Z")
    );
    // The first wrong line is told, whichever thread finds one first.
    let wrong = text.clone() + &text[text.len() / 2..] + "1,2\n" + &text[..text.len() / 2];
    let error = Table::from_csv(
        &wrong.replacen("\n150000,", "\n150000,9,", 1),
        &CsvOptions::default(),
    )
    .unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("CSV text: line 150002 has 7 cells, the header has 6"),
        "{error}"
    );
    let options = CsvOptions {
        columns: Some(vec!["late".into(), "whole".into()]),
        ..Default::default()
    };
    let t = read(&(text + last), &options);
    assert_eq!(
        (t.names().collect::<Vec<_>>(), kinds(&t)),
        (vec!["late", "whole"], vec!["integer", "string"])
    );
    assert!(
        Table::from_csv("a\n1\n", &options)
            .unwrap_err()
            .to_string()
            .contains("no column `late`")
    );
}

#[test]
fn threads_do_not_change_what_is_read_and_written() {
    let mut text = String::from("a,b,c\n");
    for i in 0..100_000 {
        text += &format!("{},\"a \"\"{i}\"\"\n\",{}\n", i * 7, i as f64 / 3.0);
    }
    let of = |threads| {
        let _entered = crate::work::Context::new().with_threads(threads).enter();
        csv(&text).to_csv(&CsvOptions::default()).unwrap()
    };
    // Whole numbers in a column of numbers have a decimal.
    assert_eq!(of(1).replace(".0\n", "\n"), text);
    assert_eq!(of(1), of(3));
}

#[test]
fn tables_are_in_the_ledger_for_as_long_as_any_holds_their_columns() {
    const MIB: usize = 1 << 20;
    let context = crate::work::Context::new().with_memory(16 * MIB);
    let _entered = context.enter();
    let held = || context.budget().held();
    let text = "x,y\n".to_string() + &"1.5,station_number_12\n".repeat(100_000);
    let t = csv(&text);
    // Two columns of 8 and 16 bytes a row, and the texts.
    let all = held();
    assert!((4_000_000..6_000_000).contains(&all), "{all}");
    let same = t.select(&["x", "y"]).unwrap();
    assert_eq!(held(), all);
    drop(t);
    assert_eq!(held(), all);
    let x = same.select(&["x"]).unwrap();
    drop(same);
    assert_eq!(held(), 800_000);
    assert!(Table::from_csv(&text, &CsvOptions::default()).is_ok());
    let more = "x,y\n".to_string() + &"1.5,station_number_12\n".repeat(500_000);
    let error = Table::from_csv(&more, &CsvOptions::default())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("rows and 2 columns needs") && error.contains("more than the memory limit of 16 MiB"),
        "{error}"
    );
    drop((x, error));
    let few = csv(&text).take(&[5, 6]);
    assert!(held() < 10_000, "{}", held());
    assert_eq!(few.value(1, "y").unwrap(), self::text("station_number_12"));
}

proptest! {
    #[test]
    fn sorting_groups_and_joins_are_those_of_plain_loops(
        rows in prop::collection::vec((prop::option::of(-3i64..3), prop::option::of(-2i64..2), "[ab]{0,10}"), 0..40),
        descending in any::<bool>(),
    ) {
        let numbers = |v: Option<i64>| v.map_or(f64::NAN, |v| v as f64 / 2.0);
        let t = Table::new(vec![
            ("i".into(), Column::integers(rows.iter().map(|r| r.0))),
            ("x".into(), Column::floats(rows.iter().map(|r| numbers(r.1)).collect())),
            ("t".into(), Column::texts(rows.iter().map(|r| Some(&r.2)))),
        ]).unwrap();
        for by in ["i", "x", "t"] {
            let keys = [SortKey { column: by.into(), descending }, SortKey { column: "t".into(), descending: false }];
            let sorted = t.sort(&keys).unwrap();
            // Insertion, one row after the other.
            let mut expected: Vec<usize> = Vec::new();
            for row in 0..t.rows() {
                let after = |other: &usize| {
                    let order = |key: &SortKey| t.column(&key.column).unwrap().compare(*other, row, key.descending);
                    keys.iter().map(order).find(|o| o.is_ne()).is_none_or(|o| o.is_lt())
                };
                let place = expected.iter().position(|other| !after(other)).unwrap_or(expected.len());
                expected.insert(place, row);
            }
            prop_assert_eq!(sorted.to_csv(&CsvOptions::default()).unwrap(), t.take(&expected).to_csv(&CsvOptions::default()).unwrap());
        }
        let means = t.group_by(&["i", "t"], &[Aggregate { column: "x".into(), aggregation: Aggregation::Mean, name: None }]).unwrap();
        let mut seen: Vec<(Option<i64>, &String)> = Vec::new();
        for row in &rows {
            if !seen.contains(&(row.0, &row.2)) {
                seen.push((row.0, &row.2));
            }
        }
        prop_assert_eq!(means.rows(), seen.len());
        for (group, key) in seen.iter().enumerate() {
            let of: Vec<f64> = rows.iter().filter(|r| (r.0, &r.2) == *key).map(|r| numbers(r.1)).filter(|x| !x.is_nan()).collect();
            let mean = of.iter().sum::<f64>() / of.len() as f64;
            let found = means.value(group, "mean_x").unwrap().as_f64();
            prop_assert!(found == Some(mean) || (found.is_none() && of.is_empty()));
        }
        let other = t.select(&["x", "i"]).unwrap().rename("i", "j").unwrap().rename("x", "i").unwrap();
        let joined = t.join(&other, &["i"], JoinKind::Inner).unwrap();
        let pairs: Vec<Option<i64>> = rows.iter().flat_map(|a| {
            let meets = move |b: &&(Option<i64>, Option<i64>, String)| a.0.is_some() && a.0.map(|i| i * 2) == b.1;
            rows.iter().filter(meets).map(|b| b.0)
        }).collect();
        let found: Vec<Option<i64>> = joined.column("j").map_or(Vec::new(), |c| c.values().map(|v| match v { Value::Integer(i) => Some(i), _ => None }).collect());
        prop_assert_eq!(found, pairs);
    }
}
