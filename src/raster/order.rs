//! The order in which tiles are computed: group by group where several tiles read the same blocks of files, so that these need not
//! be kept for long.

use std::ops::Range;

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
    Ahead {
        rows: Range<usize>,
        cols: Range<usize>,
        task: usize,
    },
    Tile {
        row: usize,
        col: usize,
    },
}

impl Order {
    pub fn tasks(&self) -> usize {
        let groups = self.down.groups() * self.across.groups();
        self.down.tiles * self.across.tiles + groups * self.ahead
    }

    /// The task of this number. They are counted, never listed: an image may have 2⁵⁰ tiles.
    pub fn task(&self, index: usize) -> Task {
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
        match index.checked_sub(self.ahead) {
            None => Task::Ahead {
                rows,
                cols,
                task: index,
            },
            Some(tile) => Task::Tile {
                row: rows.start + tile / cols.len(),
                col: cols.start + tile % cols.len(),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
            let mut expected = Vec::new();
            let groups = |line: Line| {
                let mut groups: Vec<Vec<usize>> = Vec::new();
                for tile in 0..line.tiles {
                    if tile == 0 || (tile + line.before) % line.group == 0 {
                        groups.push(Vec::new());
                    }
                    groups.last_mut().unwrap().push(tile);
                }
                groups
            };
            for rows in groups(order.down) {
                for cols in groups(order.across) {
                    let range = |list: &[usize]| list[0]..list[list.len() - 1] + 1;
                    expected.extend((0..ahead).map(|task| Task::Ahead {
                        rows: range(&rows),
                        cols: range(&cols),
                        task,
                    }));
                    for &row in &rows {
                        expected.extend(cols.iter().map(|&col| Task::Tile { row, col }));
                    }
                }
            }
            assert_eq!(order.tasks(), expected.len());
            let got: Vec<Task> = (0..order.tasks()).map(|i| order.task(i)).collect();
            assert_eq!(got, expected, "{order:?}");
        }
    }
}
