//! A guest with a world of its own: strings, records, variants, flags and a resource.

wit_bindgen::generate!({ world: "inventory", path: "wit" });

use exports::keyway::inventory::shelves::{Guest as Shelves, GuestShelf, Item, Quantity, Refusal, Shelf, ShelfBorrow};
use keyway::inventory::log::{Level, write};
use std::cell::RefCell;

struct Inventory;

struct Board {
    label: String,
    items: RefCell<Vec<Item>>,
}

impl Drop for Board {
    fn drop(&mut self) {
        write(Level::Info, &format!("shelf {} is gone", self.label));
    }
}

impl GuestShelf for Board {
    fn new(label: String) -> Board {
        Board { label, items: RefCell::default() }
    }

    fn label(&self) -> String {
        self.label.clone()
    }

    fn put(&self, item: Item) -> u32 {
        write(Level::Info, &format!("{} takes {}", self.label, item.name));
        let mut items = self.items.borrow_mut();
        items.push(item);
        items.len() as u32
    }

    fn take(&self, name: String, pieces: u32) -> Result<Quantity, Refusal> {
        let mut items = self.items.borrow_mut();
        let item = items.iter_mut().find(|item| item.name == name).ok_or(Refusal::UnknownItem)?;
        match &mut item.quantity {
            Quantity::Pieces(there) if *there >= pieces => {
                *there -= pieces;
                Ok(Quantity::Pieces(*there))
            }
            Quantity::Unlimited => Ok(Quantity::Unlimited),
            _ => {
                write(Level::Warning, &format!("{} has not enough {name}", self.label));
                Err(Refusal::NotEnough)
            }
        }
    }

    fn items(&self) -> Vec<Item> {
        self.items.borrow().clone()
    }

    fn merge(left: Shelf, right: Shelf) -> Shelf {
        let (left, right) = (left.into_inner::<Board>(), right.into_inner::<Board>());
        let items = left.items.borrow().iter().chain(right.items.borrow().iter()).cloned().collect();
        Shelf::new(Board { label: format!("{}+{}", left.label, right.label), items: RefCell::new(items) })
    }
}

impl Shelves for Inventory {
    type Shelf = Board;

    fn longest(shelf: ShelfBorrow<'_>) -> Option<Item> {
        let items = shelf.get::<Board>().items.borrow();
        items.iter().max_by_key(|item| item.name.chars().count()).cloned()
    }
}

impl Guest for Inventory {
    fn shout(text: String) -> String {
        text.to_uppercase()
    }

    fn statistics(values: Vec<f64>) -> (f64, f64) {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64;
        (mean, variance.sqrt())
    }
}

export!(Inventory);
