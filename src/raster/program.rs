//! Fused elementwise programs: a chain of operations runs over short pieces of rows that stay in cache, so a long
//! expression reads its inputs once and writes its result once, whatever its length.

use ndarray::{Array2, CowArray, Ix2};

use super::element::{Binary, Element, Real, Unary, choose};
use super::{Kind, Pixels, View};

/// Pixels handled at a time: the registers of a usual expression fit the first-level cache.
const CHUNK: usize = 1024;

#[derive(Debug, Clone, Copy)]
pub enum Operand {
    Input(usize),
    Register(usize),
}

#[derive(Debug, Clone, Copy)]
pub struct Instruction {
    pub element: Element,
    pub operands: [Operand; 3],
    pub target: usize,
}

#[derive(Debug, Clone)]
pub struct Program {
    pub kind: Kind,
    pub instructions: Vec<Instruction>,
    pub registers: usize,
    /// Where the result stands after the last instruction.
    pub result: usize,
}

impl Program {
    /// Its operations, the last first, as `mask_outside(-5, 5) of /`: what `explain` shows for one pass.
    pub fn name(&self) -> String {
        let names: Vec<String> = self
            .instructions
            .iter()
            .rev()
            .map(|instruction| instruction.element.name())
            .collect();
        match names.len() {
            0..=6 => names.join(" of "),
            n => format!("{} of … ({n} operations in one pass)", names[..4].join(" of ")),
        }
    }

    /// Runs over inputs of one shape (rows, cols).
    pub fn run(&self, inputs: &[View<'_>], rows: usize, cols: usize) -> Pixels {
        match self.kind {
            // 64-bit integers come as float64; what keeps them exact is not fused either, see `integer`.
            Kind::F64 | Kind::I128 => {
                let views: Vec<_> = inputs.iter().map(|v| with_contiguous_rows(v.f64())).collect();
                Pixels::F64(self.rows(&views, rows, cols))
            }
            // Complex chains are not fused; see `complex`.
            Kind::F32 | Kind::C32 => {
                let views: Vec<_> = inputs.iter().map(|v| with_contiguous_rows(v.f32())).collect();
                Pixels::F32(self.rows(&views, rows, cols))
            }
        }
    }

    fn rows<T: Real>(&self, inputs: &[CowArray<T, Ix2>], rows: usize, cols: usize) -> Array2<T> {
        let mut out = Array2::from_elem((rows, cols), T::nan());
        let mut registers: Vec<Vec<T>> = vec![vec![T::zero(); CHUNK.min(cols)]; self.registers];
        for instruction in &self.instructions {
            if let Element::Constant(v) = instruction.element {
                registers[instruction.target].fill(T::of(v));
            }
        }
        let mut pieces: Vec<&[T]> = Vec::with_capacity(inputs.len());
        for (r, mut out_row) in out.rows_mut().into_iter().enumerate() {
            let Some(out_row) = out_row.as_slice_mut() else {
                continue;
            };
            for start in (0..cols).step_by(CHUNK) {
                let end = (start + CHUNK).min(cols);
                pieces.clear();
                pieces.extend(
                    inputs
                        .iter()
                        .filter_map(|input| Some(&row_slice(input, r)?[start..end])),
                );
                self.chunk(&pieces, &mut registers, end - start);
                out_row[start..end].copy_from_slice(&registers[self.result][..end - start]);
            }
        }
        out
    }

    fn chunk<T: Real>(&self, inputs: &[&[T]], registers: &mut [Vec<T>], n: usize) {
        for instruction in &self.instructions {
            if let Element::Constant(_) = instruction.element {
                continue;
            }
            // Taken out while it is written; a program never reads the register that it writes.
            let mut target = std::mem::take(&mut registers[instruction.target]);
            let get = |operand: Operand| match operand {
                Operand::Input(i) => &inputs[i][..n],
                Operand::Register(r) => &registers[r][..n],
            };
            let [a, b, c] = instruction.operands;
            let out = &mut target[..n];
            match instruction.element {
                Element::Constant(_) => {}
                Element::Unary(unary) => run_unary(unary, out, get(a)),
                Element::Binary(binary) => run_binary(binary, out, get(a), get(b)),
                Element::Where => choose(out, get(a), get(b), get(c)),
            }
            registers[instruction.target] = target;
        }
    }
}

/// Rows of a view are contiguous unless an operation returned an array in another layout.
fn with_contiguous_rows<T: Real>(array: CowArray<'_, T, Ix2>) -> CowArray<'_, T, Ix2> {
    if array.ncols() <= 1 || array.strides()[1] == 1 {
        array
    } else {
        array.as_standard_layout().into_owned().into()
    }
}

fn row_slice<'a, T>(array: &'a CowArray<'_, T, Ix2>, row: usize) -> Option<&'a [T]> {
    array.row(row).to_slice()
}

#[multiversion::multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+fma", "x86_64+avx2+fma"))]
fn run_unary<T: Real>(unary: Unary, out: &mut [T], a: &[T]) {
    unary.apply(out, a);
}

#[multiversion::multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl+fma", "x86_64+avx2+fma"))]
fn run_binary<T: Real>(binary: Binary, out: &mut [T], a: &[T], b: &[T]) {
    binary.apply(out, a, b);
}
