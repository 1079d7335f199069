//! Where what scripts say goes: two virtual machines in one process, each with an output of its own; what a recorder gets of values.

use std::sync::{Arc, Barrier};

use perilune::host::{Limits, Runtime};
use perilune::lua::Access;
use perilune::work::{Bundle, Context, Form, Record, Recorder, Stream};

/// A machine whose words go to a recorder that wants these forms.
fn machine(forms: &[Form]) -> (Runtime, Arc<Recorder>) {
    let recorder = Arc::new(Recorder::new(forms));
    let _entered = Context::new().with_output(recorder.clone()).enter();
    (
        Runtime::new(Limits::default(), Access::new("/")).unwrap(),
        recorder,
    )
}

fn run(runtime: &Runtime, code: &str) {
    let function = runtime.load(code, "=test", None).unwrap();
    runtime.call(&function).unwrap();
}

/// What `display(CODE)` gives a recorder of these forms.
fn shown(forms: &[Form], code: &str) -> Bundle {
    let (runtime, recorder) = machine(forms);
    run(
        &runtime,
        &format!(
            "local plot, raster, tables = require 'plot', require 'raster', require 'tables'\ndisplay({code})"
        ),
    );
    assert_eq!(recorder.text(Stream::Stdout), "", "{code}");
    let [bundle] = recorder.shown().try_into().unwrap();
    bundle
}

fn names(bundle: &Bundle) -> Vec<&'static str> {
    bundle.iter().map(|(form, _)| form.mime()).collect()
}

const IMAGE: &str = "raster.from_table(raster.grid { rows = 2, cols = 2 }, { { 1, 2 }, { 3, 6 } }, { name = 'a<b', unit = 'dB' })";

#[test]
fn machines_side_by_side_do_not_see_each_others_words() {
    let barrier = Barrier::new(2);
    let speak = |name: &str, other: &str| {
        let (runtime, recorder) = machine(&[]);
        let code = format!(
            "for i = 1, 500 do print('{name}', i); require('log').warn('{name}'); display({{ '{name}' }}) end"
        );
        barrier.wait();
        run(&runtime, &code);
        let (out, err) = (recorder.text(Stream::Stdout), recorder.text(Stream::Stderr));
        assert_eq!(out.lines().count(), 500);
        assert!(
            out.starts_with(&format!("{name}\t1\n{name}\t2\n")) && out.ends_with("\t500\n"),
            "{out}"
        );
        assert_eq!(err, format!("warning: {name}\n").repeat(500));
        assert_eq!(recorder.shown().len(), 500);
        let records = format!("{:?}", recorder.records());
        assert!(!records.contains(other));
    };
    std::thread::scope(|scope| {
        scope.spawn(|| speak("anna", "otto"));
        scope.spawn(|| speak("otto", "anna"));
    });
}

#[test]
fn machines_of_one_thread_keep_their_outputs() {
    let ((a, of_a), (b, of_b)) = (machine(&[]), machine(&[]));
    for i in 0..3 {
        run(&a, &format!("io.write('a', {i}, '\\n')"));
        run(&b, &format!("print('b{i}')"));
    }
    // What a script leaves to be said when its machine ends is said there, too.
    run(&a, "setmetatable({}, { __gc = function() print('left') end })");
    a.close();
    assert_eq!(of_a.text(Stream::Stdout), "a0\na1\na2\nleft\n");
    assert_eq!(of_b.text(Stream::Stdout), "b0\nb1\nb2\n");
}

/// A warning is told once to each run, not once to the process.
#[test]
fn warnings_go_to_the_run_that_they_are_about() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("negative.tif").display().to_string();
    let (maker, _) = machine(&[]);
    run(
        &maker,
        &format!(
            "local raster = require 'raster'\nlocal g = raster.grid {{ rows = 1, cols = 2 }}\nraster.from_table(g, {{ {{ 1, -2 }} }}):write('{path}')"
        ),
    );
    for _ in 0..2 {
        let (runtime, recorder) = machine(&[]);
        let code = format!(
            "local image = require('raster').open('{path}')\nimage:to_db():stats() image:to_db():stats()"
        );
        run(&runtime, &code);
        let said = recorder.text(Stream::Stderr);
        assert_eq!(
            said.matches("taken for power, but holds negative values").count(),
            1,
            "{said}"
        );
        assert!(said.starts_with("warning: "), "{said}");
    }
}

#[test]
fn text_and_values_keep_their_order() {
    let (runtime, recorder) = machine(&[]);
    run(
        &runtime,
        "print(1) io.write('2')\ndisplay('x\\ny', nil, { 3 })\nprint()",
    );
    let records = recorder.records();
    let values: Vec<&str> = records
        .iter()
        .map(|record| match record {
            Record::Text(Stream::Stdout, text) => std::str::from_utf8(text).unwrap(),
            Record::Text(Stream::Stderr, _) => panic!("nothing is said beside"),
            Record::Shown(bundle) => bundle.text(Form::Plain).unwrap(),
        })
        .collect();
    assert_eq!(values, ["1\n2", "\"x\\ny\"", "nil", "{ 3 }", "\n"]);
}

#[test]
fn an_output_gets_the_forms_that_it_wants() {
    let figure = "plot.line({ 1, 2 }, { 2, 1 })";
    let table = "tables.new { { a = 1 } }";
    for (forms, code, expected) in [
        (&[][..], figure, &["text/plain"][..]),
        (&[Form::Png], figure, &["text/plain", "image/png"]),
        (
            Form::PORTABLE,
            figure,
            &["text/plain", "image/svg+xml", "image/png"],
        ),
        (Form::PORTABLE, table, &["text/plain", "text/html"]),
        (Form::PORTABLE, IMAGE, &["text/plain", "text/html", "image/png"]),
        (Form::PORTABLE, "12", &["text/plain"]),
        (&[], IMAGE, &["text/plain"]),
    ] {
        assert_eq!(names(&shown(forms, code)), expected, "{code}");
    }
}

#[test]
fn a_figure_is_shown_as_a_picture() {
    let (runtime, recorder) = machine(Form::PORTABLE);
    let figure = "require('plot').line({ 1, 2 }, { 2, 1 }, { width = 3, height = 2, dpi = 50 })";
    run(&runtime, &format!("{figure}:show()"));
    let [bundle] = recorder.shown().try_into().unwrap();
    assert_eq!(bundle.text(Form::Plain), Some("[figure of 3.0 × 2.0 inches]"));
    let mut png = png::Decoder::new(std::io::Cursor::new(bundle.get(Form::Png).unwrap()));
    let info = png.read_header_info().unwrap();
    assert_eq!((info.width, info.height), (150, 100));
    assert!(bundle.text(Form::Svg).unwrap().contains("<svg"));
}

#[test]
fn tables_become_html_that_nothing_in_them_can_break() {
    let table = "tables.new { { ['<b>'] = 'x & \"y\"', n = 1.25 }, { ['<b>'] = '</td>\\n', n = 0/0 } }";
    let bundle = shown(&[Form::Html], &format!("{table}:select('<b>', 'n')"));
    assert_eq!(
        bundle.text(Form::Html).unwrap(),
        "<p>table: 2 × 2 (rows × columns)</p>
<table>
<thead>
<tr><th style=\"text-align: left\">&lt;b&gt;<br><small>string</small></th><th style=\"text-align: right\">n<br><small>number</small></th></tr>
</thead>
<tbody>
<tr><td style=\"text-align: left\">x &amp; &quot;y&quot;</td><td style=\"text-align: right\">1.25</td></tr>
<tr><td style=\"text-align: left\">&lt;/td&gt;\\n</td><td style=\"text-align: right\">–</td></tr>
</tbody>
</table>
"
    );
}

/// The rows that are left out are counted as the text counts them.
#[test]
fn long_and_wide_tables_say_what_they_leave_out() {
    let long = "(function() local rows = {} for i = 1, 1234 do rows[i] = { i = i } end return tables.new(rows) end)()";
    let bundle = shown(&[Form::Html], long);
    let (text, html) = (
        bundle.text(Form::Plain).unwrap(),
        bundle.text(Form::Html).unwrap(),
    );
    let line = text.lines().find(|line| line.starts_with('…')).unwrap();
    let row = format!("<tr><td colspan=\"1\" style=\"text-align: center\">{line}</td></tr>");
    assert!(html.contains(&row), "{html}");
    // Header, first and last rows, and the line between.
    assert_eq!(html.matches("<tr>").count(), 22, "{html}");

    let wide = "(function() local row = {} for i = 1, 43 do row[('c%02d'):format(i)] = i end return tables.new { row } end)()";
    let bundle = shown(&[Form::Html], wide);
    let html = bundle.text(Form::Html).unwrap();
    assert!(
        html.ends_with("</table>\n<p>… and 3 columns: c41, c42, c43</p>\n"),
        "{html}"
    );
}

#[test]
fn an_image_is_its_bands_and_a_map() {
    use base64::Engine;
    let bundle = shown(Form::PORTABLE, IMAGE);
    let html = bundle.text(Form::Html).unwrap();
    assert!(
        html.starts_with("<p>Raster 2 × 2 (rows × cols), no CRS"),
        "{html}"
    );
    assert!(
        html.contains("<td style=\"text-align: left\">a&lt;b</td>") && html.contains(">dB</td>"),
        "{html}"
    );
    // The picture inside the page is the one beside it.
    let data = html.split("src=\"data:image/png;base64,").nth(1).unwrap();
    let data = data.split('"').next().unwrap();
    let inside = base64::engine::general_purpose::STANDARD.decode(data).unwrap();
    assert_eq!(Some(inside.as_slice()), bundle.get(Form::Png));
}

#[test]
fn an_image_whose_file_is_none_any_more_still_says_what_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spoilt.tif").display().to_string();
    let (runtime, recorder) = machine(Form::PORTABLE);
    run(
        &runtime,
        &format!(
            "raster = require 'raster'\nlocal g = raster.grid {{ rows = 2, cols = 2 }}
raster.from_table(g, {{ {{ 1, 2 }}, {{ 3, 4 }} }}, {{ name = 'b' }}):write('{path}')\nimage = raster.open('{path}')"
        ),
    );
    std::fs::write(&path, "nothing").unwrap();
    run(&runtime, "display(image)");
    let [bundle] = recorder.shown().try_into().unwrap();
    assert_eq!(names(&bundle), ["text/plain", "text/html"]);
    let text = bundle.text(Form::Plain).unwrap();
    assert!(
        text.starts_with("Raster 2 × 2") && text.contains("\n(no picture: "),
        "{text}"
    );
    let html = bundle.text(Form::Html).unwrap();
    assert!(
        html.contains("<p>(no picture: ") && !html.contains("<img"),
        "{html}"
    );
}

/// On a terminal a value displays itself as at the prompt; in a pipe as its text.
#[test]
fn display_in_a_script_is_what_the_prompt_shows() {
    let here = super::folder(&[]);
    let values = "12, 'a', { 1, 2 }, require('tables').new { { a = 1 } }";
    let script = super::run(here.path(), &["-e", &format!("display({values})")]);
    let prompt = super::piped(here.path(), &format!("{values}\n"));
    assert_eq!((script.code, script.out), (0, prompt.out));
}
