//! Raster's methods that work pixel by pixel.

use mlua::Value;

use crate::error::{Error, Result};
use crate::lua::args::Args;
use crate::lua::class::Builder;
use crate::lua::value::FromScript;
use crate::options;
use crate::raster::bits;
use crate::raster::complex::{self, Part};
use crate::raster::cyclic::cyclic;
use crate::raster::element::{Binary, Unary};
use crate::raster::math::{self, Operand};
use crate::raster::{DType, Kind, Raster};

pub fn define(c: &mut Builder<Raster>) {
    arithmetic(c);
    functions(c);
    masks(c);
    complex_parts(c);
    c.method("cast(dtype)", |_, this, args| this.cast(args.get::<DType>("dtype")?))
        .method("bits(first, last?)", |_, this, args| {
            let first = args.get("first")?;
            bits::bits(this, first, args.get::<Option<u32>>("last")?.unwrap_or(first))
        })
        .method("to_db()", |_, this, _| math::to_db(this))
        .method("to_power()", |_, this, _| math::to_power(this))
        .method("to_radians()", |_, this, _| math::to_radians(this))
        .method("to_degrees()", |_, this, _| math::to_degrees(this));
}

options! {
    struct Force("raster.ForceOptions") {
        /// Leave units unchecked.
        force: bool = false,
    }
}

fn arithmetic(c: &mut Builder<Raster>) {
    for (name, op) in [
        ("add", Binary::Add),
        ("subtract", Binary::Subtract),
        ("multiply", Binary::Multiply),
        ("divide", Binary::Divide),
        ("modulo", Binary::Modulo),
        ("gt", Binary::Greater),
        ("ge", Binary::GreaterEqual),
        ("lt", Binary::Less),
        ("le", Binary::LessEqual),
        ("eq", Binary::Equal),
        ("ne", Binary::NotEqual),
    ] {
        c.method_with(&format!("{name}(other, options?)"), move |_, this, args, o: Force| {
            let other: Operand = args.get("other")?;
            math::binary(&Operand::Raster(this.clone()), op, &other, o.force)
        });
    }
    c.method_with("power(exponent?, options?)", power);
}

/// `x:power(2)` is x²; `z:power()` of a complex image is its |z|².
fn power(_: &mlua::Lua, this: &Raster, args: &Args, o: Force) -> Result<Raster> {
    match args.get::<Option<Operand>>("exponent")? {
        Some(exponent) => math::binary(&Operand::Raster(this.clone()), Binary::Power, &exponent, o.force),
        None if is_complex(this) => Ok(complex::part(this, Part::Power)),
        None => Err(Error::message(
            "exponent is missing; only complex images have a power without one (`:to_power()` converts decibels \
             and amplitudes)",
        )),
    }
}

fn functions(c: &mut Builder<Raster>) {
    for (name, op) in [
        ("abs", Unary::Abs),
        ("sqrt", Unary::Sqrt),
        ("exp", Unary::Exp),
        ("log", Unary::Log),
        ("log10", Unary::Log10),
        ("round", Unary::Round),
        ("floor", Unary::Floor),
        ("ceil", Unary::Ceil),
        ("sin", Unary::Sin),
        ("cos", Unary::Cos),
        ("tan", Unary::Tan),
        ("atan", Unary::Atan),
        ("is_valid", Unary::IsValid),
    ] {
        c.method(&format!("{name}()"), move |_, this, _| math::unary(this, op));
    }
    c.method("clamp(low, high)", |_, this, args| {
        let (low, high) = range(args)?;
        math::unary(this, Unary::Clamp(low, high))
    });
}

fn masks(c: &mut Builder<Raster>) {
    c.method("mask(condition)", |_, this, args| {
        let condition = condition(args)?;
        let this = Operand::Raster(this.clone());
        math::binary(&this, Binary::Mask, &Operand::Raster(condition), true)
    })
    .method("mask_outside(low, high)", |_, this, args| {
        let (low, high) = range(args)?;
        math::unary(this, Unary::MaskOutside(low, high))
    })
    .method("unmask(value)", |_, this, args| {
        let value = args.checked("value", "a finite number", |v: &f64| v.is_finite())?;
        math::unary(this, Unary::Unmask(value))
    })
    .method("fill(other)", |_, this, args| {
        let other: Operand = args.get("other")?;
        math::binary(&Operand::Raster(this.clone()), Binary::Fill, &other, false)
    })
    .method("where(condition, otherwise)", |_, this, args| {
        let condition = condition(args)?;
        let chosen = math::choose(&condition, &Operand::Raster(this.clone()), &args.get("otherwise")?)?;
        // The image is this one with other values in places, so time and properties are its own.
        Ok(this.with_bands(chosen.bands))
    });
}

fn complex_parts(c: &mut Builder<Raster>) {
    c.method("cyclic(low, high)", |_, this, args| cyclic(this, args.get("low")?, args.get("high")?));
    for (name, part) in [
        ("phase", Part::Phase),
        ("real", Part::Real),
        ("imag", Part::Imaginary),
        ("conj", Part::Conjugate),
    ] {
        c.method(&format!("{name}()"), move |_, this, _| {
            if is_complex(this) {
                Ok(complex::part(this, part))
            } else {
                let found = this.band_names().join(", ");
                Err(Error::argument("image", "complex", format!("real bands ({found})")))
            }
        });
    }
}

fn is_complex(raster: &Raster) -> bool {
    raster.bands.iter().any(|b| b.kind() == Kind::C32)
}

fn range(args: &Args) -> Result<(f64, f64)> {
    let low = args.checked("low", "a number", |v: &f64| !v.is_nan())?;
    let high = args.checked("high", "a number of at least low", |v: &f64| *v >= low)?;
    Ok((low, high))
}

/// A mask; booleans come from `image == 2`, which Lua answers by itself.
fn condition(args: &Args) -> Result<Raster> {
    match args.get::<Value>("condition")? {
        Value::Boolean(_) => Err(Error::argument(
            "condition",
            "a Raster; to compare images use `a:eq(b)`, `a:gt(b)` and so on, not `==` or `>`",
            "true or false",
        )),
        value => Raster::from_script(&value, "condition"),
    }
}
