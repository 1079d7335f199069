//! Calls of operators by name, with arguments as their schemas list them.
//!
//! libtorch does not check what it is given here: the number and kinds of arguments have to be those of the schema. So this is private to the
//! room, each operator has one function (`operators`), and a test runs every one.

use std::ffi::CStr;
use std::ptr::null_mut;

use super::abi::{Api, BUILT_FOR, Handle, Word, api, checked};
use super::tensor::Tensor;
use crate::error::{Error, Result};

/// One argument.
pub(super) enum Argument<'a> {
    Tensor(&'a Tensor),
    Tensors(&'a [Tensor]),
    /// `Tensor?` that is there.
    SomeTensor(&'a Tensor),
    /// Any optional that is not.
    None,
    Integer(i64),
    SomeInteger(i64),
    Integers(&'a [i64]),
    /// `int[]?` that is there.
    SomeIntegers(&'a [i64]),
    Flags(&'a [bool]),
    Number(f64),
    Flag(bool),
}

pub(super) fn optional(tensor: Option<&Tensor>) -> Argument<'_> {
    tensor.map_or(Argument::None, Argument::SomeTensor)
}

impl Argument<'_> {
    /// Its word. A handle in it belongs to who takes the word.
    fn word(&self, api: &Api) -> Result<Word> {
        Ok(match self {
            Argument::Tensor(tensor) => tensor.given()?,
            Argument::Tensors(tensors) => list(
                api,
                tensors.iter().map(Tensor::given).collect::<Result<Vec<Word>>>()?,
            )?,
            Argument::SomeTensor(tensor) => some(api, tensor.given()?)?,
            Argument::None => 0,
            Argument::Integer(value) => *value as Word,
            Argument::SomeInteger(value) => some(api, *value as Word)?,
            Argument::Integers(values) => list(api, values.iter().map(|v| *v as Word).collect())?,
            Argument::SomeIntegers(values) => {
                some(api, list(api, values.iter().map(|v| *v as Word).collect())?)?
            }
            Argument::Flags(values) => list(api, values.iter().map(|v| Word::from(*v)).collect())?,
            Argument::Number(value) => value.to_bits(),
            Argument::Flag(value) => Word::from(*value),
        })
    }
}

fn list(api: &Api, words: Vec<Word>) -> Result<Word> {
    let mut handle: Handle = null_mut();
    // SAFETY: `handle` is there to be written; the words are what the list's kind holds, and are given away.
    unsafe {
        checked(
            api,
            "list",
            (api.torch_new_list_reserve_size)(words.len(), &mut handle),
        )?;
        for word in words {
            checked(api, "list", (api.torch_list_push_back)(handle, word))?;
        }
    }
    Ok(handle as Word)
}

/// An optional that holds a word is a pointer to it, which libtorch frees.
fn some(api: &Api, word: Word) -> Result<Word> {
    let mut place: *mut Word = null_mut();
    // SAFETY: `place` is there to be written, and leads to one word once it was.
    unsafe {
        checked(api, "optional", (api.torch_new_stable_ivalue)(&mut place))?;
        *place = word;
    }
    Ok(place as Word)
}

/// Calls `aten::operator.overload`, whose answer is `N` tensors.
///
/// # Errors
/// libtorch's own words, with the operator's name.
pub(super) fn call<const N: usize>(
    operator: &CStr,
    overload: &CStr,
    arguments: &[Argument<'_>],
) -> Result<[Tensor; N]> {
    let api = api()?;
    let mut stack = Vec::with_capacity(arguments.len().max(N));
    for argument in arguments {
        stack.push(argument.word(api)?);
    }
    stack.resize(arguments.len().max(N), 0);
    // SAFETY: the stack holds what the schema lists and has room for the answers; the names end with 0. What the stack held is libtorch's.
    let answer = unsafe {
        (api.torch_call_dispatcher)(
            operator.as_ptr(),
            overload.as_ptr(),
            stack.as_mut_ptr(),
            BUILT_FOR,
        )
    };
    checked(api, &operator.to_string_lossy(), answer)?;
    // The words behind the answers are spent arguments, no tensors.
    let tensors: Vec<Tensor> = stack
        .iter()
        .take(N)
        .map(|word| Tensor::of(*word as Handle))
        .collect();
    tensors
        .try_into()
        .map_err(|_| Error::message(format!("libtorch: {operator:?}: another number of answers")))
}

/// As `call`, for one tensor.
pub(super) fn one(operator: &CStr, overload: &CStr, arguments: &[Argument<'_>]) -> Result<Tensor> {
    let [tensor] = call::<1>(operator, overload, arguments)?;
    Ok(tensor)
}
