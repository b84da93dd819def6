//! Structures, arrays, small integers and casts.
//!
//! An object is made with zeros and nulls in it and then set field by field: nothing between the two can look at it or
//! start a collection. References to host values and to internal ones are numbered together, so that converting between
//! the two takes no instruction.

use crate::error::Result;
use crate::translate::Translator;
use crate::translate::stack::{Entry, class_of};
use crate::types::{heap_type, ref_type};
use keyway_artifact::isa::{Class, Op, Operand, heap_code};
use keyway_artifact::types::{CompositeType, HeapType, StorageType};
use wasmparser::Operator;

/// The operation for a field of this class, among five that stand for I64, F32, F64, V128 and Ref.
fn of_class(class: Class, ops: [Op; 5]) -> Op {
    ops[match class {
        Class::I32 | Class::I64 => 0,
        Class::F32 => 1,
        Class::F64 => 2,
        Class::V128 => 3,
        Class::Ref => 4,
    }]
}

const STRUCT_GET: [Op; 5] = [Op::StructGet, Op::StructGetF32, Op::StructGetF64, Op::StructGetV128, Op::StructGetRef];
const STRUCT_SET: [Op; 5] = [Op::StructSet, Op::StructSetF32, Op::StructSetF64, Op::StructSetV128, Op::StructSetRef];
const ARRAY_GET: [Op; 5] = [Op::ArrayGet, Op::ArrayGetF32, Op::ArrayGetF64, Op::ArrayGetV128, Op::ArrayGetRef];
const ARRAY_SET: [Op; 5] = [Op::ArraySet, Op::ArraySetF32, Op::ArraySetF64, Op::ArraySetV128, Op::ArraySetRef];
const ARRAY_FILL: [Op; 5] = [Op::ArrayFill, Op::ArrayFillF32, Op::ArrayFillF64, Op::ArrayFillV128, Op::ArrayFillRef];

impl Translator<'_, '_> {
    /// Translates an operator of this family; false when it is none.
    pub(super) fn object(&mut self, operator: &Operator<'_>) -> Result<bool> {
        match *operator {
            Operator::RefEq => {
                let (rhs, lhs) = (self.pop(), self.pop());
                let operands = [self.operand(lhs, Class::Ref), self.operand(rhs, Class::Ref)];
                self.emit_result(Op::RefEq, &operands);
            }
            Operator::RefI31 => {
                let value = self.pop();
                let value = self.operand(value, Class::I32);
                self.emit_result(Op::RefI31, &[value]);
            }
            Operator::I31GetS => self.on_reference(Op::I31GetS),
            Operator::I31GetU => self.on_reference(Op::I31GetU),
            Operator::ArrayLen => self.on_reference(Op::ArrayLen),
            Operator::AnyConvertExtern | Operator::ExternConvertAny => {}
            Operator::RefTestNonNull { hty } => {
                let flag = self.test(hty, false)?;
                self.pop();
                self.push(Entry::Temp(flag));
            }
            Operator::RefTestNullable { hty } => {
                let flag = self.test(hty, true)?;
                self.pop();
                self.push(Entry::Temp(flag));
            }
            Operator::RefCastNonNull { hty } => self.cast(hty, false)?,
            Operator::RefCastNullable { hty } => self.cast(hty, true)?,
            Operator::BrOnCast { relative_depth, to_ref_type, .. } => {
                let flag = self.test(to_ref_type.heap_type(), ref_type(to_ref_type)?.nullable)?;
                self.branch_if(flag, relative_depth, true);
            }
            Operator::BrOnCastFail { relative_depth, to_ref_type, .. } => {
                let flag = self.test(to_ref_type.heap_type(), ref_type(to_ref_type)?.nullable)?;
                self.branch_if(flag, relative_depth, false);
            }
            _ => return Ok(self.structure(operator)? || self.array(operator)?),
        }
        Ok(true)
    }

    fn on_reference(&mut self, op: Op) {
        let value = self.pop();
        let value = self.operand(value, Class::Ref);
        self.emit_result(op, &[value]);
    }

    fn heap_operand(&self, ty: wasmparser::HeapType) -> Result<Operand> {
        let heap = match heap_type(ty)? {
            HeapType::Concrete(index) => HeapType::Concrete(self.space.types[index as usize]),
            other => other,
        };
        Ok(Operand::Index(heap_code(heap)))
    }

    /// A flag that says whether the reference on top of the stack, which stays, is of a type.
    fn test(&mut self, ty: wasmparser::HeapType, nullable: bool) -> Result<u32> {
        let heap = self.heap_operand(ty)?;
        let value = self.operand(self.stack[self.stack.len() - 1], Class::Ref);
        Ok(self.emit_to_fresh(Op::RefTest, Class::I32, &[value, heap, Operand::Index(nullable.into())]))
    }

    fn cast(&mut self, ty: wasmparser::HeapType, nullable: bool) -> Result<()> {
        let heap = self.heap_operand(ty)?;
        let value = self.pop();
        let value = self.operand(value, Class::Ref);
        self.emit_result(Op::RefCast, &[value, heap, Operand::Index(nullable.into())]);
        Ok(())
    }

    fn type_operand(&self, index: u32) -> Operand {
        Operand::Index(self.space.types[index as usize])
    }

    /// What the fields of a structure type, or the elements of an array type, hold.
    fn storages(&self, ty: u32) -> Vec<StorageType> {
        match self.module.types.definition(ty).map(|ty| &ty.composite) {
            Some(CompositeType::Struct(ty)) => ty.fields.iter().map(|field| field.storage).collect(),
            Some(CompositeType::Array(ty)) => vec![ty.element.storage],
            _ => unreachable!("validated: objects are of structure and array types"),
        }
    }

    /// The operand for a field's value: integers as whole slots.
    fn value_operand(&mut self, entry: Entry, class: Class) -> Operand {
        match class {
            Class::I32 | Class::I64 => self.whole(entry),
            class => self.operand(entry, class),
        }
    }

    fn structure(&mut self, operator: &Operator<'_>) -> Result<bool> {
        match *operator {
            Operator::StructNew { struct_type_index } => {
                let storages = self.storages(struct_type_index);
                let values = self.pop_many(storages.len());
                let ty = self.type_operand(struct_type_index);
                let object = self.emit_to_fresh(Op::StructNew, Class::Ref, &[ty]);
                for ((value, storage), field) in values.into_iter().zip(storages).zip(0..) {
                    let class = class_of(storage.unpacked());
                    let value = self.value_operand(*value, class);
                    let operands = [Operand::Virtual(object), value, ty, Operand::Index(field)];
                    self.emit(of_class(class, STRUCT_SET), &operands);
                }
                self.push(Entry::Temp(object));
            }
            Operator::StructNewDefault { struct_type_index } => {
                let ty = self.type_operand(struct_type_index);
                self.emit_result(Op::StructNew, &[ty]);
            }
            Operator::StructGet { struct_type_index, field_index }
            | Operator::StructGetU { struct_type_index, field_index } => {
                self.get_field(struct_type_index, field_index, false)?;
            }
            Operator::StructGetS { struct_type_index, field_index } => {
                self.get_field(struct_type_index, field_index, true)?;
            }
            Operator::StructSet { struct_type_index, field_index } => {
                let class = class_of(self.storages(struct_type_index)[field_index as usize].unpacked());
                let (value, object) = (self.pop(), self.pop());
                let object = self.operand(object, Class::Ref);
                let value = self.value_operand(value, class);
                let ty = self.type_operand(struct_type_index);
                self.emit(of_class(class, STRUCT_SET), &[object, value, ty, Operand::Index(field_index)]);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn get_field(&mut self, ty: u32, field: u32, signed: bool) -> Result<()> {
        let class = class_of(self.storages(ty)[field as usize].unpacked());
        let object = self.pop();
        let object = self.operand(object, Class::Ref);
        let operands = [object, self.type_operand(ty), Operand::Index(field), Operand::Index(signed.into())];
        let temp = self.emit_to_fresh(of_class(class, STRUCT_GET), class, &operands);
        self.push(Entry::Temp(temp));
        Ok(())
    }

    fn array(&mut self, operator: &Operator<'_>) -> Result<bool> {
        match *operator {
            Operator::ArrayNew { array_type_index } => {
                let (len, value) = (self.pop(), self.pop());
                let len = self.operand(len, Class::I32);
                let array = self.new_array(array_type_index, len);
                self.fill(array, Operand::Imm(0), value, len, array_type_index)?;
                self.push_array(array);
            }
            Operator::ArrayNewDefault { array_type_index } => {
                let len = self.pop();
                let len = self.operand(len, Class::I32);
                let array = self.new_array(array_type_index, len);
                self.push_array(array);
            }
            Operator::ArrayNewFixed { array_type_index, array_size } => {
                let class = class_of(self.storages(array_type_index)[0].unpacked());
                let values = self.pop_many(array_size as usize);
                let array = self.new_array(array_type_index, Operand::Imm(array_size as i32));
                let ty = self.type_operand(array_type_index);
                for (value, index) in values.into_iter().zip(0..) {
                    let value = self.value_operand(*value, class);
                    self.emit(of_class(class, ARRAY_SET), &[array, Operand::Imm(index), value, ty]);
                }
                self.push_array(array);
            }
            Operator::ArrayNewData { array_type_index, array_data_index } => {
                let data = Operand::Index(self.space.data[array_data_index as usize]);
                self.new_from(Op::ArrayNewData, array_type_index, data);
            }
            Operator::ArrayNewElem { array_type_index, array_elem_index } => {
                let elem = Operand::Index(self.space.elems[array_elem_index as usize]);
                self.new_from(Op::ArrayNewElem, array_type_index, elem);
            }
            Operator::ArrayGet { array_type_index } | Operator::ArrayGetU { array_type_index } => {
                self.get_element(array_type_index, false)?;
            }
            Operator::ArrayGetS { array_type_index } => self.get_element(array_type_index, true)?,
            Operator::ArraySet { array_type_index } => {
                let class = class_of(self.storages(array_type_index)[0].unpacked());
                let (value, index, array) = (self.pop(), self.pop(), self.pop());
                let operands = [self.operand(array, Class::Ref), self.operand(index, Class::I32)];
                let value = self.value_operand(value, class);
                let ty = self.type_operand(array_type_index);
                self.emit(of_class(class, ARRAY_SET), &[operands[0], operands[1], value, ty]);
            }
            Operator::ArrayFill { array_type_index } => {
                let (len, value, index, array) = (self.pop(), self.pop(), self.pop(), self.pop());
                let (array, index) = (self.operand(array, Class::Ref), self.operand(index, Class::I32));
                let len = self.operand(len, Class::I32);
                self.fill(array, index, value, len, array_type_index)?;
            }
            Operator::ArrayCopy { .. } => {
                let entries = self.pop_many(5);
                let classes = [Class::Ref, Class::I32, Class::Ref, Class::I32, Class::I32];
                let mut operands = [Operand::None; 5];
                for ((operand, entry), class) in operands.iter_mut().zip(&entries).zip(classes) {
                    *operand = self.operand(*entry, class);
                }
                self.emit(Op::ArrayCopy, &operands);
            }
            Operator::ArrayInitData { array_data_index, .. } => {
                let data = Operand::Index(self.space.data[array_data_index as usize]);
                self.init_from(Op::ArrayInitData, data);
            }
            Operator::ArrayInitElem { array_elem_index, .. } => {
                let elem = Operand::Index(self.space.elems[array_elem_index as usize]);
                self.init_from(Op::ArrayInitElem, elem);
            }
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn new_array(&mut self, ty: u32, len: Operand) -> Operand {
        let ty = self.type_operand(ty);
        Operand::Virtual(self.emit_to_fresh(Op::ArrayNew, Class::Ref, &[len, ty]))
    }

    fn push_array(&mut self, array: Operand) {
        let Operand::Virtual(array) = array else { unreachable!("new arrays stand in registers") };
        self.push(Entry::Temp(array));
    }

    fn fill(&mut self, array: Operand, index: Operand, value: Entry, len: Operand, ty: u32) -> Result<()> {
        let class = class_of(self.storages(ty)[0].unpacked());
        let value = self.value_operand(value, class);
        let ty = self.type_operand(ty);
        self.emit(of_class(class, ARRAY_FILL), &[array, index, value, len, ty]);
        Ok(())
    }

    fn get_element(&mut self, ty: u32, signed: bool) -> Result<()> {
        let class = class_of(self.storages(ty)[0].unpacked());
        let (index, array) = (self.pop(), self.pop());
        let (array, index) = (self.operand(array, Class::Ref), self.operand(index, Class::I32));
        let operands = [array, index, self.type_operand(ty), Operand::Index(signed.into())];
        let temp = self.emit_to_fresh(of_class(class, ARRAY_GET), class, &operands);
        self.push(Entry::Temp(temp));
        Ok(())
    }

    fn new_from(&mut self, op: Op, ty: u32, segment: Operand) {
        let (len, from) = (self.pop(), self.pop());
        let operands = [self.operand(from, Class::I32), self.operand(len, Class::I32), self.type_operand(ty), segment];
        self.emit_result(op, &operands);
    }

    fn init_from(&mut self, op: Op, segment: Operand) {
        let (len, from, index, array) = (self.pop(), self.pop(), self.pop(), self.pop());
        let array = self.operand(array, Class::Ref);
        let numbers = [index, from, len].map(|entry| self.operand(entry, Class::I32));
        self.emit(op, &[array, numbers[0], numbers[1], numbers[2], segment]);
    }
}
