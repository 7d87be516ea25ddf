//! Keeps a filter as `configure` left it, so that settings are read once and not for every lead.
//!
//! The filter runs with accessors to its memory and globals built in; what they show after `configure` becomes the
//! initial content of a new component.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use wasmtime::Store;
use wasmtime::component::{ComponentNamedList, Instance, Lift, WasmList};
use wasmtime_wizer::{ComponentInstanceState, Wizer};

use super::call::Fence;
use super::prune::prune;

/// The most that a filter keeps of the settings of all its campaigns, in bytes: every call begins with a view of them.
const STATE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// The unit in which what is kept is counted, in bytes: an untouched one costs nothing.
const PAGE_BYTES: usize = 4 * 1024;

/// Returns the component with accessors built in.
pub(super) fn instrument(wasm: &[u8]) -> Result<Vec<u8>, String> {
    let instrumented =
        catch_unwind(|| Wizer::new().instrument_component(wasm).map(|(_, wasm)| wasm));
    let instrumented = instrumented.map_err(|_| "it has a shape that cannot be read".to_owned())?;
    instrumented.map_err(|error| error.root_cause().to_string())
}

/// Returns a component that begins where this instance of the instrumented `wasm` stands, without what only begins it.
pub(super) fn keep(
    wasm: &[u8],
    store: &mut Store<Fence>,
    instance: Instance,
) -> Result<Vec<u8>, String> {
    let mut view = View { store, instance, fault: None };
    let kept = catch_unwind(AssertUnwindSafe(|| {
        let wizer = Wizer::new();
        let (context, _) = wizer.instrument_component(wasm)?;
        let kept = ready(wizer.snapshot_component(&context, &mut view))?;
        prune(&kept).map_err(|error| wasmtime::Error::msg(error.to_string()))
    }));
    match (view.fault, kept) {
        (None, Ok(Ok(kept))) => Ok(kept),
        (Some(error), _) | (None, Ok(Err(error))) => Err(error.root_cause().to_string()),
        (None, Err(_)) => Err("its state has a shape that cannot be read".to_owned()),
    }
}

fn check_size(memory: &[u8]) -> wasmtime::Result<()> {
    let used = memory.chunks(PAGE_BYTES).filter(|page| page.iter().any(|byte| *byte != 0));
    let bytes = used.count().saturating_mul(PAGE_BYTES);
    if bytes <= STATE_BYTES_MAX {
        return Ok(());
    }
    Err(wasmtime::Error::msg(format!(
        "it keeps {bytes} bytes of the settings of its campaigns, and at most {STATE_BYTES_MAX} are possible: keep \
         less of them"
    )))
}

/// Returns what a future that never waits comes to.
fn ready<T>(future: impl Future<Output = wasmtime::Result<T>>) -> wasmtime::Result<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => Err(wasmtime::Error::msg("reading the state does not end")),
    }
}

/// An instance, looked at through its accessors.
struct View<'s> {
    store: &'s mut Store<Fence>,
    instance: Instance,
    fault: Option<wasmtime::Error>,
}

impl View<'_> {
    fn read<R>(&mut self, instance: &str, function: &str) -> wasmtime::Result<R>
    where
        (R,): ComponentNamedList + Lift + 'static,
    {
        let missing = || wasmtime::Error::msg("an accessor is missing");
        let instance = self.instance.get_export_index(&mut *self.store, None, instance);
        let instance = instance.ok_or_else(missing)?;
        let function = self.instance.get_export_index(&mut *self.store, Some(&instance), function);
        let function = function.ok_or_else(missing)?;
        let function = self.instance.get_typed_func::<(), (R,)>(&mut *self.store, function)?;
        Ok(function.call(&mut *self.store, ())?.0)
    }

    /// Reads a number. The trait cannot fail, so a fault is kept aside and [`keep`] returns it.
    fn number<R: Default>(&mut self, instance: &str, function: &str) -> R
    where
        (R,): ComponentNamedList + Lift + 'static,
    {
        self.read(instance, function).unwrap_or_else(|error| {
            self.fault = Some(error);
            R::default()
        })
    }
}

impl ComponentInstanceState for View<'_> {
    async fn call_func_ret_list_u8(
        &mut self,
        instance: &str,
        func: &str,
        contents: impl FnOnce(&[u8]) + Send,
    ) {
        match self.read::<WasmList<u8>>(instance, func) {
            Ok(list) => {
                let memory = list.as_le_slice(&*self.store);
                match check_size(memory) {
                    Ok(()) => contents(memory),
                    Err(error) => {
                        self.fault = Some(error);
                        contents(&[]);
                    }
                }
            }
            Err(error) => {
                self.fault = Some(error);
                contents(&[]);
            }
        }
    }

    async fn call_func_ret_s32(&mut self, instance: &str, func: &str) -> i32 {
        self.number(instance, func)
    }

    async fn call_func_ret_s64(&mut self, instance: &str, func: &str) -> i64 {
        self.number(instance, func)
    }

    async fn call_func_ret_f32(&mut self, instance: &str, func: &str) -> u32 {
        self.number::<f32>(instance, func).to_bits()
    }

    async fn call_func_ret_f64(&mut self, instance: &str, func: &str) -> u64 {
        self.number::<f64>(instance, func).to_bits()
    }
}
