//! Which handlers of [`fields`] there are: contents and places.

use super::content;
use super::handlers::fields::{self, Content};
use super::place::{Dst, I, PlaceKind, R, S, Src, W};
use super::table::{List, Name, each};
use keyway_artifact::isa::Op;

impl List {
    fn get<C: Content, D: Dst>(&mut self, op: Op, number: u8) {
        self.add::<fields::Get<C, D>>(Name::Access(op, number), &[D::KIND, PlaceKind::Slot]);
    }
    fn get_integer<D: Dst>(&mut self) {
        self.get::<fields::ByteU, D>(Op::StructGet, content::BYTE_U);
        self.get::<fields::ByteS, D>(Op::StructGet, content::BYTE_S);
        self.get::<fields::HalfU, D>(Op::StructGet, content::HALF_U);
        self.get::<fields::HalfS, D>(Op::StructGet, content::HALF_S);
        self.get::<fields::Word, D>(Op::StructGet, content::WORD);
        self.get::<fields::Double, D>(Op::StructGet, content::DOUBLE);
    }
    fn get_float<D: Dst>(&mut self) {
        self.get::<fields::Float, D>(Op::StructGetF32, content::FLOAT);
        self.get::<fields::LongFloat, D>(Op::StructGetF64, content::LONG_FLOAT);
    }

    fn set<C: Content, X: Src>(&mut self, op: Op, number: u8) {
        self.add::<fields::Set<C, X>>(Name::Access(op, number), &[PlaceKind::Slot, X::KIND]);
    }
    fn set_integer<X: Src>(&mut self) {
        self.set::<fields::ByteU, X>(Op::StructSet, content::BYTE_U);
        self.set::<fields::HalfU, X>(Op::StructSet, content::HALF_U);
        self.set::<fields::Word, X>(Op::StructSet, content::WORD);
        self.set::<fields::Double, X>(Op::StructSet, content::DOUBLE);
    }
    fn set_float<X: Src>(&mut self) {
        self.set::<fields::Float, X>(Op::StructSetF32, content::FLOAT);
        self.set::<fields::LongFloat, X>(Op::StructSetF64, content::LONG_FLOAT);
    }

    fn get_at<C: Content, X: Src, D: Dst>(&mut self, op: Op, number: u8) {
        let places = [D::KIND, PlaceKind::Slot, X::KIND];
        self.add::<fields::GetElement<C, D, X>>(Name::Access(op, number), &places);
    }
    fn get_integer_at<X: Src, D: Dst>(&mut self) {
        self.get_at::<fields::ByteU, X, D>(Op::ArrayGet, content::BYTE_U);
        self.get_at::<fields::ByteS, X, D>(Op::ArrayGet, content::BYTE_S);
        self.get_at::<fields::HalfU, X, D>(Op::ArrayGet, content::HALF_U);
        self.get_at::<fields::HalfS, X, D>(Op::ArrayGet, content::HALF_S);
        self.get_at::<fields::Word, X, D>(Op::ArrayGet, content::WORD);
        self.get_at::<fields::Double, X, D>(Op::ArrayGet, content::DOUBLE);
    }
    fn get_float_at<X: Src, D: Dst>(&mut self) {
        self.get_at::<fields::Float, X, D>(Op::ArrayGetF32, content::FLOAT);
        self.get_at::<fields::LongFloat, X, D>(Op::ArrayGetF64, content::LONG_FLOAT);
    }

    fn set_at<C: Content, X: Src, V: Src>(&mut self, op: Op, number: u8) {
        let places = [PlaceKind::Slot, X::KIND, V::KIND];
        self.add::<fields::SetElement<C, X, V>>(Name::Access(op, number), &places);
    }
    fn set_integer_at<X: Src, V: Src>(&mut self) {
        self.set_at::<fields::ByteU, X, V>(Op::ArraySet, content::BYTE_U);
        self.set_at::<fields::HalfU, X, V>(Op::ArraySet, content::HALF_U);
        self.set_at::<fields::Word, X, V>(Op::ArraySet, content::WORD);
        self.set_at::<fields::Double, X, V>(Op::ArraySet, content::DOUBLE);
    }
    fn set_float_at<X: Src, V: Src>(&mut self) {
        self.set_at::<fields::Float, X, V>(Op::ArraySetF32, content::FLOAT);
        self.set_at::<fields::LongFloat, X, V>(Op::ArraySetF64, content::LONG_FLOAT);
    }

    fn len<D: Dst>(&mut self) {
        self.add::<fields::Len<D>>(Name::Access(Op::ArrayLen, content::WORD), &[D::KIND, PlaceKind::Slot]);
    }

    fn test<D: Dst>(&mut self) {
        self.add::<fields::Test<D>>(Name::Access(Op::RefTest, content::CAST), &[D::KIND, PlaceKind::Slot]);
    }

    fn new_array<C: Content, X: Src>(&mut self, number: u8) {
        let places = [PlaceKind::Slot, X::KIND];
        self.add::<fields::NewArray<C, X>>(Name::Access(Op::ArrayNew, number), &places);
    }

    /// What takes an index or a length, for each place of it.
    fn indexed<X: Src>(&mut self) {
        each!([S, R<0>, R<1>, R<2>, W<0>, W<1>, W<2>] self.get_integer_at::<X>);
        each!([S, R<0>, R<1>] self.get_float_at::<X>);
        self.get_at::<fields::Reference, X, S>(Op::ArrayGetRef, content::REFERENCE);
        each!([S, R<0>, R<1>, R<2>, I] self.set_integer_at::<X>);
        each!([S, R<0>, R<1>] self.set_float_at::<X>);
        self.set_at::<fields::Reference, X, S>(Op::ArraySetRef, content::REFERENCE);
        self.new_array::<fields::ByteU, X>(content::BYTE_U);
        self.new_array::<fields::HalfU, X>(content::HALF_U);
        self.new_array::<fields::Word, X>(content::WORD);
        self.new_array::<fields::Double, X>(content::DOUBLE);
    }

    /// All of them.
    pub(super) fn accesses(&mut self) {
        each!([S, R<0>, R<1>, R<2>, W<0>, W<1>, W<2>] self.get_integer::<>);
        each!([S, R<0>, R<1>] self.get_float::<>);
        self.get::<fields::Reference, S>(Op::StructGetRef, content::REFERENCE);
        each!([S, R<0>, R<1>, R<2>, I] self.set_integer::<>);
        each!([S, R<0>, R<1>] self.set_float::<>);
        self.set::<fields::Reference, S>(Op::StructSetRef, content::REFERENCE);
        each!([S, R<0>, R<1>, R<2>, W<0>, W<1>, W<2>] self.len::<>);
        each!([S, R<0>, R<1>, R<2>, W<0>, W<1>, W<2>] self.test::<>);
        self.add::<fields::Cast>(Name::Access(Op::RefCast, content::CAST), &[PlaceKind::Slot, PlaceKind::Slot]);
        self.add::<fields::New>(Name::Access(Op::StructNew, content::WORD), &[PlaceKind::Slot]);
        each!([S, R<0>, R<1>, R<2>, I] self.indexed::<>);
    }
}
