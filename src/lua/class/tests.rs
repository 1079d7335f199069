use super::*;
use crate::lua::module::Module;
use crate::lua::names::with_names;

struct Tally(Vec<i64>);
bind_class!(Tally);

impl Class for Tally {
    const NAME: &'static str = "Tally";

    fn define(c: &mut Builder<Self>) {
        c.method("scaled(factor, options?)", |_, this, args| {
            let factor: i64 = args.get("factor")?;
            let offset = args.options(|o| o.get_or("offset", 0))?;
            Ok(Tally(this.0.iter().map(|n| n * factor + offset).collect()))
        })
        .method("map(fn)", |_, this, args| {
            let function: mlua::Function = args.get("fn")?;
            let mapped = this.0.iter().map(|n| Ok(function.call(*n)?));
            Ok(Tally(mapped.collect::<Result<_>>()?))
        })
        .method("fall()", |_, _, _| -> Result<()> { panic!("upside down") })
        .chain("push(number)", |_, this, args| {
            this.0.push(args.get("number")?);
            Ok(())
        })
        .field("first", |_, this| Ok(this.0.first().copied()))
        .dynamic_fields(
            |_, this, name| Ok((name == "only" && this.0.len() == 1).then(|| Value::Integer(this.0[0]))),
            |this| {
                if this.0.len() == 1 {
                    vec!["only".into()]
                } else {
                    vec![]
                }
            },
        )
        .items(|_, this, i| Ok(this.0.get((i - 1) as usize).map(|n| Value::Integer(*n))))
        .length(|this| this.0.len())
        .text(|this| format!("{:?}", this.0))
        .call("(index)", |_, this, args| {
            Ok(this.0[args.checked("index", "a position", |i: &usize| (1..=this.0.len()).contains(i))? - 1])
        })
        .operator(MetaMethod::Add, |_, args| {
            let left: UserDataRef<Tally> = args.get("left")?;
            let right: i64 = args.get("right")?;
            Ok(Tally(left.0.iter().map(|n| n + right).collect()))
        });
    }
}

fn machine() -> Lua {
    let lua = Lua::new();
    let module = Module::build(&lua, "tallies", |m| {
        m.class::<Tally>();
        m.function("new(...)", |_, args| {
            let numbers = args
                .rest()
                .iter()
                .map(|v| crate::lua::FromScript::from_script(v, "number"));
            Ok(Tally(numbers.collect::<Result<_>>()?))
        })?;
        Ok(())
    });
    lua.globals().set("tallies", module.unwrap()).unwrap();
    lua
}

fn run(code: &str) -> mlua::Result<String> {
    machine().load(code).set_name("=a.lua").eval()
}

#[test]
fn objects_work_as_in_lua() {
    for (code, expected) in [
        (
            "tostring(tallies.new(1, 2):scaled(3, { offset = 1 }) + 10)",
            "[14, 17]",
        ),
        ("tostring(tallies.new(1):push(5))", "[1, 5]"),
        ("tostring(#tallies.new(1, 2, 3))", "3"),
        ("tostring(tallies.new(4).only + tallies.new(4).first)", "8"),
        ("tostring(tallies.new(4, 5)(2))", "5"),
        (
            "tostring(tallies.new(1, 2):map(function(n) return n * n end))",
            "[1, 4]",
        ),
        (
            "(function() local s = '' for i, n in ipairs(tallies.new(7, 8)) do s = s .. i .. n end return s end)()",
            "1728",
        ),
    ] {
        assert_eq!(run(&format!("return {code}")).unwrap(), expected, "{code}");
    }
}

#[test]
fn errors_name_line_method_and_value() {
    for (code, expected) in [
        (
            "tallies.new(1):scaled('x')",
            "Tally:scaled: factor must be an integer, got \"x\" (string)",
        ),
        (
            "tallies.new(1):scaled(1, { ofset = 2 })",
            "Tally:scaled: unknown option `ofset`; did you mean `offset`?",
        ),
        (
            "tallies.new(1):scaled(1, {}, 3)",
            "Tally:scaled: takes at most 2 arguments, got 3: Tally:scaled(factor, options?)",
        ),
        (
            "tallies.new(1).scaled(2)",
            "Tally:scaled: the object is missing; call it with a colon, as in `x:scaled(…)`",
        ),
        (
            "tallies.new(1):scald(2)",
            "a Tally has no field or method `scald`; did you mean `scaled`?",
        ),
        (
            "tallies.new(1).onli",
            "a Tally has no field or method `onli`; did you mean `only`?",
        ),
        (
            "tallies.new(1) + 'x'",
            "operator +: right must be an integer, got \"x\" (string)",
        ),
        (
            "2 + tallies.new(1)",
            "operator +: left must be a Tally, got 2 (integer)",
        ),
        (
            "tallies.new(1)(3)",
            "Tally: index must be a position, got 3 (integer)",
        ),
        (
            "tallies.new(1, {})",
            "tallies.new: number must be an integer, got an empty table",
        ),
        (
            "tallies.new(1):fall()",
            "Tally:fall: internal error, a mistake in perilune itself: upside down; please report it",
        ),
        (
            "tallies.new(1):map(function(n)\nerror('mine') end)",
            "a.lua:3: mine",
        ),
        (
            "tallies.nwe(1)",
            "module tallies has no field `nwe`; did you mean `new`?",
        ),
        (
            "(function() local t = tallies.new(1) t.first = 3 end)()",
            "fields of a Tally cannot be set; tried \"first\" (string)",
        ),
    ] {
        let code = format!("local ok, message = pcall(function()\nreturn {code} end) return message");
        let message = run(&code).unwrap();
        let expected = if expected.starts_with("a.lua") {
            expected.into()
        } else {
            format!("a.lua:2: {expected}")
        };
        assert_eq!(message, expected);
    }
}

#[test]
fn names_are_entered() {
    let lua = machine();
    with_names(&lua, |names| {
        let tally = &names.classes["Tally"];
        assert_eq!(tally.module, "tallies");
        let entry = tally.entries.iter().find(|e| e.name == "scaled").unwrap();
        assert_eq!(entry.signature.as_deref(), Some("Tally:scaled(factor, options?)"));
        assert_eq!(
            names.modules["tallies"][0].signature.as_deref(),
            Some("tallies.new(...)")
        );
    });
}
