//! Tensors of libtorch: made, copied, looked at.

use std::ffi::c_void;
use std::ptr::null_mut;

use super::abi::{Handle, Word, api, checked};
use crate::error::{Error, Result};
use crate::libraries::Device;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Float32,
    Int64,
}

/// A reference to an `at::Tensor`. Two of them may share their numbers.
#[derive(Debug)]
pub struct Tensor(Handle);

// SAFETY: libtorch counts references to tensors atomically; what changes one takes it while no other thread has it, as the trainer does.
unsafe impl Send for Tensor {}

impl Drop for Tensor {
    fn drop(&mut self) {
        if let Ok(api) = api() {
            // SAFETY: the handle is this reference's own, and is not used again.
            unsafe { (api.aoti_torch_delete_tensor_object)(self.0) };
        }
    }
}

impl Tensor {
    /// Takes a handle that libtorch gave away.
    pub(super) fn of(handle: Handle) -> Tensor {
        Tensor(handle)
    }

    pub(super) fn handle(&self) -> Handle {
        self.0
    }

    /// Another reference to the same numbers.
    ///
    /// # Errors
    /// Where libtorch has no memory for it.
    pub fn shared(&self) -> Result<Tensor> {
        let api = api()?;
        let mut handle = null_mut();
        // SAFETY: the handle is alive and `handle` there to be written.
        checked(api, "reference", unsafe {
            (api.aoti_torch_new_tensor_handle)(self.0, &mut handle)
        })?;
        Ok(Tensor(handle))
    }

    /// A reference that is given away.
    pub(super) fn given(&self) -> Result<Word> {
        let shared = self.shared()?;
        let handle = shared.0;
        std::mem::forget(shared);
        Ok(handle as Word)
    }

    fn empty(size: &[usize], kind: Kind, device: Device) -> Result<Tensor> {
        let api = api()?;
        let size: Vec<i64> = size
            .iter()
            .map(|n| i64::try_from(*n).unwrap_or(i64::MAX))
            .collect();
        let mut strides = vec![1i64; size.len()];
        for i in (1..size.len()).rev() {
            strides[i - 1] = strides[i].saturating_mul(size[i]);
        }
        let mut handle = null_mut();
        // SAFETY: sizes and strides are as long as the first argument says, and `handle` is there to be written; the rest are numbers that
        // libtorch itself gives for kind and device.
        let answer = unsafe {
            let kind = match kind {
                Kind::Float32 => (api.aoti_torch_dtype_float32)(),
                Kind::Int64 => (api.aoti_torch_dtype_int64)(),
            };
            let (device, number) = match device {
                Device::Cpu => ((api.aoti_torch_device_type_cpu)(), 0),
                Device::Cuda(number) => ((api.aoti_torch_device_type_cuda)(), i32::from(number)),
            };
            (api.aoti_torch_empty_strided)(
                size.len() as i64,
                size.as_ptr(),
                strides.as_ptr(),
                kind,
                device,
                number,
                &mut handle,
            )
        };
        checked(api, "empty", answer)?;
        Ok(Tensor(handle))
    }

    fn filled_from<E: Copy>(values: &[E], size: &[usize], kind: Kind, device: Device) -> Result<Tensor> {
        let wanted = size.iter().try_fold(1usize, |all, n| all.checked_mul(*n));
        if wanted != Some(values.len()) {
            return Err(Error::message(format!(
                "a tensor of size {size:?} does not hold {} numbers",
                values.len()
            )));
        }
        let here = Tensor::empty(size, kind, Device::Cpu)?;
        let place = here.place()?.cast::<E>();
        if !values.is_empty() {
            // SAFETY: the new tensor is contiguous, holds as many numbers as `values` (looked at above) of `E`'s kind, and is nobody else's.
            unsafe { std::ptr::copy_nonoverlapping(values.as_ptr(), place, values.len()) };
        }
        if device == Device::Cpu {
            return Ok(here);
        }
        let there = Tensor::empty(size, kind, device)?;
        there.copy_from(&here)?;
        Ok(there)
    }

    /// Floats, the last axis running fastest.
    ///
    /// # Errors
    /// Where their number is not that of `size`, or the device has no memory.
    pub fn floats(values: &[f32], size: &[usize], device: Device) -> Result<Tensor> {
        Tensor::filled_from(values, size, Kind::Float32, device)
    }

    /// Integers, the last axis running fastest.
    ///
    /// # Errors
    /// As `floats`.
    pub fn integers(values: &[i64], size: &[usize], device: Device) -> Result<Tensor> {
        Tensor::filled_from(values, size, Kind::Int64, device)
    }

    /// Floats that are all `value`.
    ///
    /// # Errors
    /// Where the device has no memory.
    pub fn full(value: f64, size: &[usize], device: Device) -> Result<Tensor> {
        let tensor = Tensor::empty(size, Kind::Float32, device)?;
        tensor.fill(value)?;
        Ok(tensor)
    }

    /// Sets every number.
    ///
    /// # Errors
    /// libtorch's.
    pub fn fill(&self, value: f64) -> Result<()> {
        let api = api()?;
        // SAFETY: the handle is alive.
        checked(api, "fill_", unsafe {
            (api.aoti_torch_aten_fill__Scalar)(self.0, value)
        })
    }

    /// Takes over the numbers of a tensor of the same size, wherever it lies.
    ///
    /// # Errors
    /// libtorch's.
    pub fn copy_from(&self, other: &Tensor) -> Result<()> {
        let api = api()?;
        // SAFETY: both handles are alive; the copy is done when the call returns.
        checked(api, "copy_", unsafe {
            (api.aoti_torch_copy_)(self.0, other.0, 0)
        })
    }

    fn place(&self) -> Result<*mut c_void> {
        let api = api()?;
        let mut place = null_mut();
        // SAFETY: the handle is alive and `place` there to be written.
        checked(api, "data", unsafe {
            (api.aoti_torch_get_data_ptr)(self.0, &mut place)
        })?;
        Ok(place)
    }

    /// The lengths of its axes.
    ///
    /// # Errors
    /// libtorch's.
    pub fn size(&self) -> Result<Vec<usize>> {
        let api = api()?;
        let (mut sizes, mut axes) = (null_mut(), 0);
        // SAFETY: the handle is alive and both places are there to be written.
        unsafe {
            checked(api, "size", (api.aoti_torch_get_sizes)(self.0, &mut sizes))?;
            checked(api, "size", (api.aoti_torch_get_dim)(self.0, &mut axes))?;
        }
        let axes = usize::try_from(axes).unwrap_or(0);
        if axes == 0 || sizes.is_null() {
            return Ok(Vec::new());
        }
        // SAFETY: libtorch holds as many lengths there as there are axes, for as long as the tensor lives; they are copied here.
        let sizes = unsafe { std::slice::from_raw_parts(sizes, axes) };
        Ok(sizes.iter().map(|n| usize::try_from(*n).unwrap_or(0)).collect())
    }

    /// As `size`, as operators take it.
    pub(super) fn lengths(&self) -> Result<Vec<i64>> {
        Ok(self.size()?.into_iter().map(|n| n as i64).collect())
    }

    fn kind(&self) -> Result<Kind> {
        let api = api()?;
        let mut code = 0;
        // SAFETY: the handle is alive and `code` there to be written; the getters take nothing.
        let (float, int) = unsafe {
            checked(api, "kind", (api.aoti_torch_get_dtype)(self.0, &mut code))?;
            ((api.aoti_torch_dtype_float32)(), (api.aoti_torch_dtype_int64)())
        };
        match code {
            c if c == float => Ok(Kind::Float32),
            c if c == int => Ok(Kind::Int64),
            c => Err(Error::message(format!(
                "libtorch: a tensor of kind {c} where float32 or int64 was expected"
            ))),
        }
    }

    /// Its numbers, the last axis running fastest. Waits for the device.
    fn read<E: Copy + Default>(&self, kind: Kind) -> Result<Vec<E>> {
        if self.kind()? != kind {
            return Err(Error::message(format!(
                "libtorch: a tensor that is not {kind:?} was read as one"
            )));
        }
        let size = self.size()?;
        // Contiguous, whatever the original is.
        let here = Tensor::empty(&size, kind, Device::Cpu)?;
        here.copy_from(self)?;
        let count = size.iter().product();
        let mut values = vec![E::default(); count];
        if count > 0 {
            let place = here.place()?.cast::<E>();
            // SAFETY: `here` is contiguous and holds `count` numbers of `E`'s kind, which was looked at above.
            unsafe { std::ptr::copy_nonoverlapping(place, values.as_mut_ptr(), count) };
        }
        Ok(values)
    }

    /// # Errors
    /// Where it holds something else than float32, or computing it has failed.
    pub fn to_floats(&self) -> Result<Vec<f32>> {
        self.read(Kind::Float32)
    }

    /// # Errors
    /// Where it holds something else than int64, or computing it has failed.
    pub fn to_integers(&self) -> Result<Vec<i64>> {
        self.read(Kind::Int64)
    }

    /// The one number of a tensor of one.
    ///
    /// # Errors
    /// Where it holds another number of them.
    pub fn number(&self) -> Result<f32> {
        match self.to_floats()?[..] {
            [number] => Ok(number),
            ref many => Err(Error::message(format!(
                "libtorch: {} numbers where one was expected",
                many.len()
            ))),
        }
    }
}
