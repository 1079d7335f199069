//! The order in which tiles are computed: group by group where several tiles read the same blocks of files, so that these need not
//! be kept for long.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::error::Result;
use crate::interrupt;

/// Tiles along one axis, in groups. The first group may begin before the first tile.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Line {
    pub tiles: usize,
    /// Tiles of a group.
    pub group: usize,
    /// How many tiles of the first group lie before the first.
    pub before: usize,
}

impl Line {
    fn groups(&self) -> usize {
        (self.tiles + self.before).div_ceil(self.group)
    }

    fn tiles_of(&self, group: usize) -> Range<usize> {
        let at = |group: usize| (group * self.group).saturating_sub(self.before).min(self.tiles);
        at(group)..at(group + 1)
    }
}

/// Tiles in rows and columns, and so many tasks ahead of each group.
#[derive(Debug, Clone, Copy)]
pub struct Order {
    pub down: Line,
    pub across: Line,
    pub ahead: usize,
}

/// Rows and columns are those of tiles.
#[derive(Debug, PartialEq)]
pub enum Task {
    Ahead(usize),
    Tile { row: usize, col: usize },
}

/// Tiles that are computed one after the other.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Counted from the first.
    pub number: usize,
    pub rows: Range<usize>,
    pub cols: Range<usize>,
}

impl Group {
    fn tiles(&self) -> usize {
        self.rows.len() * self.cols.len()
    }
}

/// How many tasks of each group are done, so that no thread begins one while too many others are not.
pub struct Groups {
    done: Mutex<Done>,
    changed: Condvar,
    /// Groups that are worked on at a time.
    at_once: usize,
    /// Tasks ahead of each.
    ahead: usize,
}

#[derive(Default)]
struct Done {
    /// All groups below are.
    before: usize,
    /// Tasks of the others.
    tasks: HashMap<usize, usize>,
}

impl Groups {
    pub fn new(at_once: usize, ahead: usize) -> Groups {
        Groups {
            done: Mutex::default(),
            changed: Condvar::new(),
            at_once,
            ahead,
        }
    }

    fn done(&self) -> MutexGuard<'_, Done> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until a group may be begun. Those before it were begun, and wait for none after them.
    ///
    /// # Errors
    /// `Interrupted`.
    pub fn wait(&self, group: &Group) -> Result<()> {
        let mut done = self.done();
        while group.number >= done.before.saturating_add(self.at_once) {
            interrupt::check()?;
            // A stop wakes nobody.
            let waited = self.changed.wait_timeout(done, Duration::from_millis(100));
            done = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(())
    }

    /// Counts a task of a group as done when it is dropped, also by an error; `last` is called for the last one.
    pub fn task<'a>(&'a self, group: &'a Group, last: &'a dyn Fn()) -> TaskDone<'a> {
        TaskDone {
            groups: self,
            group,
            last,
        }
    }
}

pub struct TaskDone<'a> {
    groups: &'a Groups,
    group: &'a Group,
    last: &'a dyn Fn(),
}

impl Drop for TaskDone<'_> {
    fn drop(&mut self) {
        let mut done = self.groups.done();
        let tasks = done.tasks.entry(self.group.number).or_default();
        *tasks += 1;
        if *tasks < self.group.tiles() + self.groups.ahead {
            return;
        }
        // All is let go before others begin.
        (self.last)();
        *tasks = usize::MAX;
        let mut before = done.before;
        while done.tasks.get(&before) == Some(&usize::MAX) {
            done.tasks.remove(&before);
            before += 1;
        }
        done.before = before;
        drop(done);
        self.groups.changed.notify_all();
    }
}

impl Order {
    pub fn tasks(&self) -> usize {
        let groups = self.down.groups() * self.across.groups();
        self.down.tiles * self.across.tiles + groups * self.ahead
    }

    /// The task of this number, and its group. They are counted, never listed: an image may have 2⁵⁰ tiles.
    pub fn task(&self, index: usize) -> (Group, Task) {
        let (down, across) = (&self.down, &self.across);
        // Tasks before a row of groups.
        let before =
            |row: usize| down.tiles_of(row).start * across.tiles + row * across.groups() * self.ahead;
        let first = before(1);
        let row = match index < first {
            true => 0,
            false => {
                let each = down.group * across.tiles + across.groups() * self.ahead;
                1 + (index - first) / each
            }
        };
        let rows = down.tiles_of(row);
        let index = index - before(row);
        let before = |col: usize| across.tiles_of(col).start * rows.len() + col * self.ahead;
        let first = before(1);
        let col = match index < first {
            true => 0,
            false => 1 + (index - first) / (across.group * rows.len() + self.ahead),
        };
        let cols = across.tiles_of(col);
        let index = index - before(col);
        let task = match index.checked_sub(self.ahead) {
            None => Task::Ahead(index),
            Some(tile) => Task::Tile {
                row: rows.start + tile / cols.len(),
                col: cols.start + tile % cols.len(),
            },
        };
        let number = row * across.groups() + col;
        (Group { number, rows, cols }, task)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::error::Error;
    use crate::work::workers;

    #[test]
    fn groups_follow_one_another_and_every_tile_comes_once() {
        for (tiles, group, before, ahead) in [
            (7, 3, 0, 2),
            (7, 3, 2, 0),
            (5, 1, 0, 0),
            (1, 4, 3, 5),
            (6, 6, 0, 1),
            (4, 9, 4, 3),
        ] {
            let order = Order {
                down: Line { tiles, group, before },
                across: Line {
                    tiles: tiles + 2,
                    group: group + 1,
                    before,
                },
                ahead,
            };
            // Slowly: all groups, of each what is ahead and then its tiles.
            let (mut expected, mut number) = (Vec::new(), 0);
            let groups = |line: Line| {
                let mut groups: Vec<Vec<usize>> = Vec::new();
                for tile in 0..line.tiles {
                    if tile == 0 || (tile + line.before).is_multiple_of(line.group) {
                        groups.push(Vec::new());
                    }
                    groups.last_mut().unwrap().push(tile);
                }
                groups
            };
            for rows in groups(order.down) {
                for cols in groups(order.across) {
                    let range = |list: &[usize]| list[0]..list[list.len() - 1] + 1;
                    let group = Group {
                        number,
                        rows: range(&rows),
                        cols: range(&cols),
                    };
                    number += 1;
                    expected.extend((0..ahead).map(|task| (group.clone(), Task::Ahead(task))));
                    for &row in &rows {
                        expected.extend(cols.iter().map(|&col| (group.clone(), Task::Tile { row, col })));
                    }
                }
            }
            assert_eq!(order.tasks(), expected.len());
            let got: Vec<(Group, Task)> = (0..order.tasks()).map(|i| order.task(i)).collect();
            assert_eq!(got, expected, "{order:?}");
        }
    }

    #[test]
    fn no_group_is_begun_while_too_many_are_not_done() {
        let order = Order {
            down: Line {
                tiles: 8,
                group: 2,
                before: 1,
            },
            across: Line {
                tiles: 9,
                group: 3,
                before: 0,
            },
            ahead: 2,
        };
        for (at_once, fails) in [(1, false), (2, false), (1, true)] {
            let (groups, last) = (Groups::new(at_once, order.ahead), AtomicUsize::new(0));
            let open: Mutex<HashMap<usize, usize>> = Mutex::default();
            let (most, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
            let failed = workers::for_each(
                6,
                order.tasks(),
                || (),
                |(), i| {
                    let (group, task) = order.task(i);
                    groups.wait(&group)?;
                    let mut now = open.lock().unwrap();
                    now.entry(group.number).or_insert(group.tiles());
                    most.fetch_max(now.len(), Ordering::Relaxed);
                    drop(now);
                    let close = || {
                        open.lock().unwrap().remove(&group.number);
                        last.fetch_add(1, Ordering::Relaxed);
                    };
                    let _done = groups.task(&group, &close);
                    if let Task::Tile { row, .. } = task {
                        std::thread::sleep(Duration::from_micros(200 * (row as u64 % 3)));
                        done.fetch_add(1, Ordering::Relaxed);
                        if fails && i > 60 {
                            return Err(Error::message("sixty"));
                        }
                    }
                    Ok(())
                },
            );
            match fails {
                // Nobody waits for the tile of a thread that has failed.
                true => assert_eq!(failed.unwrap_err().to_string(), "sixty"),
                false => {
                    failed.unwrap();
                    assert!(most.load(Ordering::Relaxed) <= at_once);
                    let groups = order.down.groups() * order.across.groups();
                    assert_eq!(
                        (last.load(Ordering::Relaxed), done.load(Ordering::Relaxed)),
                        (groups, 72)
                    );
                }
            }
        }
    }
}
