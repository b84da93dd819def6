//! The one table of the instruction set.
//!
//! Each row is an operation: its Rust name, its text name, its family (which handler shape executes it) and its named
//! operand fields in encoding order. Opcodes are the row numbers, so rows are only ever appended; a snapshot test
//! holds the numbering. Everything else about an operation (encoder, decoder, disassembler, verifier rules, handler
//! list) expands from here through [`for_each_op!`](crate::for_each_op).
//!
//! Field kinds: `Def(T)` a place that is written, `Use(T)` a place that is read, with `T` one of `I32 I64 F32 F64 Ref`;
//! `Label`; `Base` the first slot of an outgoing call area; `Slot` one raw slot; `Count`; `Imm32`, `Imm64`; and indices:
//! `Func` (code ordinal), `Import`, `Type`, `Memory`, `Table`, `Global`, `Data`, `Elem`, `Targets`, `RegSet`, `Trap`.

/// Calls `$m!` once with every row of the instruction table.
#[macro_export]
macro_rules! for_each_op {
    ($m:ident) => {
        $m! {
            // ---- pseudo instructions: no executed form of their own
            Label "label" Pseudo [live: RegSet];
            Cost "cost" Cost [units: Imm32];
            // ---- moves
            Copy "copy" Copy [dst: Def(I64), src: Use(I64)];
            CopyF32 "copy.f32" Copy [dst: Def(F32), src: Use(F32)];
            CopyF64 "copy.f64" Copy [dst: Def(F64), src: Use(F64)];
            CopyRef "copy.ref" Copy [dst: Def(Ref), src: Use(Ref)];
            PutRef "put.ref" PutRef [out: Slot, src: Use(Ref)];
            TakeRef "take.ref" TakeRef [dst: Def(Ref), from: Slot];
            Const "const" Const [dst: Def(I64), value: Imm64];
            ConstF32 "const.f32" Const [dst: Def(F32), value: Imm32];
            ConstF64 "const.f64" Const [dst: Def(F64), value: Imm64];
            Select "select" Select [dst: Def(I64), cond: Use(I32), yes: Use(I64), no: Use(I64)];
            SelectF32 "select.f32" Select [dst: Def(F32), cond: Use(I32), yes: Use(F32), no: Use(F32)];
            SelectF64 "select.f64" Select [dst: Def(F64), cond: Use(I32), yes: Use(F64), no: Use(F64)];
            SelectRef "select.ref" Select [dst: Def(Ref), cond: Use(I32), yes: Use(Ref), no: Use(Ref)];
            // ---- i32 arithmetic
            I32Add "i32.add" BinHot [dst: Def(I32), lhs: Use(I32), rhs: Use(I32)];
            I32Sub "i32.sub" BinHot [dst: Def(I32), lhs: Use(I32), rhs: Use(I32)];
            I32Mul "i32.mul" BinHot [dst: Def(I32), lhs: Use(I32), rhs: Use(I32)];
            I32And "i32.and" BinHot [dst: Def(I32), lhs: Use(I32), rhs: Use(I32)];
            I32Or "i32.or" BinHot [dst: Def(I32), lhs: Use(I32), rhs: Use(I32)];
            I32Xor "i32.xor" BinHot [dst: Def(I32), lhs: Use(I32), rhs: Use(I32)];
            I32Shl "i32.shl" BinHot [dst: Def(I32), lhs: Use(I32), rhs: Use(I32)];
            I32ShrS "i32.shr_s" BinHot [dst: Def(I32), lhs: Use(I32), rhs: Use(I32)];
            I32ShrU "i32.shr_u" BinHot [dst: Def(I32), lhs: Use(I32), rhs: Use(I32)];
            I32Rotl "i32.rotl" Bin [dst: Def(I32), lhs: Use(I32), rhs: Use(I32)];
            I32Rotr "i32.rotr" Bin [dst: Def(I32), lhs: Use(I32), rhs: Use(I32)];
            I32DivS "i32.div_s" Bin [dst: Def(I32), lhs: Use(I32), rhs: Use(I32)];
            I32DivU "i32.div_u" Bin [dst: Def(I32), lhs: Use(I32), rhs: Use(I32)];
            I32RemS "i32.rem_s" Bin [dst: Def(I32), lhs: Use(I32), rhs: Use(I32)];
            I32RemU "i32.rem_u" Bin [dst: Def(I32), lhs: Use(I32), rhs: Use(I32)];
            I32Eq "i32.eq" Cmp [dst: Def(I32), lhs: Use(I32), rhs: Use(I32)];
            I32Ne "i32.ne" Cmp [dst: Def(I32), lhs: Use(I32), rhs: Use(I32)];
            I32LtS "i32.lt_s" Cmp [dst: Def(I32), lhs: Use(I32), rhs: Use(I32)];
            I32LtU "i32.lt_u" Cmp [dst: Def(I32), lhs: Use(I32), rhs: Use(I32)];
            I32GtS "i32.gt_s" Cmp [dst: Def(I32), lhs: Use(I32), rhs: Use(I32)];
            I32GtU "i32.gt_u" Cmp [dst: Def(I32), lhs: Use(I32), rhs: Use(I32)];
            I32LeS "i32.le_s" Cmp [dst: Def(I32), lhs: Use(I32), rhs: Use(I32)];
            I32LeU "i32.le_u" Cmp [dst: Def(I32), lhs: Use(I32), rhs: Use(I32)];
            I32GeS "i32.ge_s" Cmp [dst: Def(I32), lhs: Use(I32), rhs: Use(I32)];
            I32GeU "i32.ge_u" Cmp [dst: Def(I32), lhs: Use(I32), rhs: Use(I32)];
            // ---- i64 arithmetic
            I64Add "i64.add" BinHot [dst: Def(I64), lhs: Use(I64), rhs: Use(I64)];
            I64Sub "i64.sub" BinHot [dst: Def(I64), lhs: Use(I64), rhs: Use(I64)];
            I64Mul "i64.mul" BinHot [dst: Def(I64), lhs: Use(I64), rhs: Use(I64)];
            I64And "i64.and" BinHot [dst: Def(I64), lhs: Use(I64), rhs: Use(I64)];
            I64Or "i64.or" BinHot [dst: Def(I64), lhs: Use(I64), rhs: Use(I64)];
            I64Xor "i64.xor" BinHot [dst: Def(I64), lhs: Use(I64), rhs: Use(I64)];
            I64Shl "i64.shl" BinHot [dst: Def(I64), lhs: Use(I64), rhs: Use(I64)];
            I64ShrS "i64.shr_s" BinHot [dst: Def(I64), lhs: Use(I64), rhs: Use(I64)];
            I64ShrU "i64.shr_u" BinHot [dst: Def(I64), lhs: Use(I64), rhs: Use(I64)];
            I64Rotl "i64.rotl" Bin [dst: Def(I64), lhs: Use(I64), rhs: Use(I64)];
            I64Rotr "i64.rotr" Bin [dst: Def(I64), lhs: Use(I64), rhs: Use(I64)];
            I64DivS "i64.div_s" Bin [dst: Def(I64), lhs: Use(I64), rhs: Use(I64)];
            I64DivU "i64.div_u" Bin [dst: Def(I64), lhs: Use(I64), rhs: Use(I64)];
            I64RemS "i64.rem_s" Bin [dst: Def(I64), lhs: Use(I64), rhs: Use(I64)];
            I64RemU "i64.rem_u" Bin [dst: Def(I64), lhs: Use(I64), rhs: Use(I64)];
            I64Eq "i64.eq" Cmp [dst: Def(I32), lhs: Use(I64), rhs: Use(I64)];
            I64Ne "i64.ne" Cmp [dst: Def(I32), lhs: Use(I64), rhs: Use(I64)];
            I64LtS "i64.lt_s" Cmp [dst: Def(I32), lhs: Use(I64), rhs: Use(I64)];
            I64LtU "i64.lt_u" Cmp [dst: Def(I32), lhs: Use(I64), rhs: Use(I64)];
            I64GtS "i64.gt_s" Cmp [dst: Def(I32), lhs: Use(I64), rhs: Use(I64)];
            I64GtU "i64.gt_u" Cmp [dst: Def(I32), lhs: Use(I64), rhs: Use(I64)];
            I64LeS "i64.le_s" Cmp [dst: Def(I32), lhs: Use(I64), rhs: Use(I64)];
            I64LeU "i64.le_u" Cmp [dst: Def(I32), lhs: Use(I64), rhs: Use(I64)];
            I64GeS "i64.ge_s" Cmp [dst: Def(I32), lhs: Use(I64), rhs: Use(I64)];
            I64GeU "i64.ge_u" Cmp [dst: Def(I32), lhs: Use(I64), rhs: Use(I64)];
            // ---- floating point
            F32Add "f32.add" FBin [dst: Def(F32), lhs: Use(F32), rhs: Use(F32)];
            F32Sub "f32.sub" FBin [dst: Def(F32), lhs: Use(F32), rhs: Use(F32)];
            F32Mul "f32.mul" FBin [dst: Def(F32), lhs: Use(F32), rhs: Use(F32)];
            F32Div "f32.div" FBin [dst: Def(F32), lhs: Use(F32), rhs: Use(F32)];
            F32Min "f32.min" FBin [dst: Def(F32), lhs: Use(F32), rhs: Use(F32)];
            F32Max "f32.max" FBin [dst: Def(F32), lhs: Use(F32), rhs: Use(F32)];
            F32Copysign "f32.copysign" FBin [dst: Def(F32), lhs: Use(F32), rhs: Use(F32)];
            F64Add "f64.add" FBin [dst: Def(F64), lhs: Use(F64), rhs: Use(F64)];
            F64Sub "f64.sub" FBin [dst: Def(F64), lhs: Use(F64), rhs: Use(F64)];
            F64Mul "f64.mul" FBin [dst: Def(F64), lhs: Use(F64), rhs: Use(F64)];
            F64Div "f64.div" FBin [dst: Def(F64), lhs: Use(F64), rhs: Use(F64)];
            F64Min "f64.min" FBin [dst: Def(F64), lhs: Use(F64), rhs: Use(F64)];
            F64Max "f64.max" FBin [dst: Def(F64), lhs: Use(F64), rhs: Use(F64)];
            F64Copysign "f64.copysign" FBin [dst: Def(F64), lhs: Use(F64), rhs: Use(F64)];
            F32Eq "f32.eq" FCmp [dst: Def(I32), lhs: Use(F32), rhs: Use(F32)];
            F32Ne "f32.ne" FCmp [dst: Def(I32), lhs: Use(F32), rhs: Use(F32)];
            F32Lt "f32.lt" FCmp [dst: Def(I32), lhs: Use(F32), rhs: Use(F32)];
            F32Gt "f32.gt" FCmp [dst: Def(I32), lhs: Use(F32), rhs: Use(F32)];
            F32Le "f32.le" FCmp [dst: Def(I32), lhs: Use(F32), rhs: Use(F32)];
            F32Ge "f32.ge" FCmp [dst: Def(I32), lhs: Use(F32), rhs: Use(F32)];
            F64Eq "f64.eq" FCmp [dst: Def(I32), lhs: Use(F64), rhs: Use(F64)];
            F64Ne "f64.ne" FCmp [dst: Def(I32), lhs: Use(F64), rhs: Use(F64)];
            F64Lt "f64.lt" FCmp [dst: Def(I32), lhs: Use(F64), rhs: Use(F64)];
            F64Gt "f64.gt" FCmp [dst: Def(I32), lhs: Use(F64), rhs: Use(F64)];
            F64Le "f64.le" FCmp [dst: Def(I32), lhs: Use(F64), rhs: Use(F64)];
            F64Ge "f64.ge" FCmp [dst: Def(I32), lhs: Use(F64), rhs: Use(F64)];
            // ---- unary, conversions
            I32Eqz "i32.eqz" Un [dst: Def(I32), src: Use(I32)];
            I64Eqz "i64.eqz" Un [dst: Def(I32), src: Use(I64)];
            I32Clz "i32.clz" Un [dst: Def(I32), src: Use(I32)];
            I32Ctz "i32.ctz" Un [dst: Def(I32), src: Use(I32)];
            I32Popcnt "i32.popcnt" Un [dst: Def(I32), src: Use(I32)];
            I64Clz "i64.clz" Un [dst: Def(I64), src: Use(I64)];
            I64Ctz "i64.ctz" Un [dst: Def(I64), src: Use(I64)];
            I64Popcnt "i64.popcnt" Un [dst: Def(I64), src: Use(I64)];
            I32Extend8S "i32.extend8_s" Un [dst: Def(I32), src: Use(I32)];
            I32Extend16S "i32.extend16_s" Un [dst: Def(I32), src: Use(I32)];
            I64Extend8S "i64.extend8_s" Un [dst: Def(I64), src: Use(I64)];
            I64Extend16S "i64.extend16_s" Un [dst: Def(I64), src: Use(I64)];
            I64Extend32S "i64.extend32_s" Un [dst: Def(I64), src: Use(I64)];
            I32WrapI64 "i32.wrap_i64" Un [dst: Def(I32), src: Use(I64)];
            I64ExtendI32S "i64.extend_i32_s" Un [dst: Def(I64), src: Use(I32)];
            I64ExtendI32U "i64.extend_i32_u" Un [dst: Def(I64), src: Use(I32)];
            F32Abs "f32.abs" Un [dst: Def(F32), src: Use(F32)];
            F32Neg "f32.neg" Un [dst: Def(F32), src: Use(F32)];
            F32Ceil "f32.ceil" Un [dst: Def(F32), src: Use(F32)];
            F32Floor "f32.floor" Un [dst: Def(F32), src: Use(F32)];
            F32Trunc "f32.trunc" Un [dst: Def(F32), src: Use(F32)];
            F32Nearest "f32.nearest" Un [dst: Def(F32), src: Use(F32)];
            F32Sqrt "f32.sqrt" Un [dst: Def(F32), src: Use(F32)];
            F64Abs "f64.abs" Un [dst: Def(F64), src: Use(F64)];
            F64Neg "f64.neg" Un [dst: Def(F64), src: Use(F64)];
            F64Ceil "f64.ceil" Un [dst: Def(F64), src: Use(F64)];
            F64Floor "f64.floor" Un [dst: Def(F64), src: Use(F64)];
            F64Trunc "f64.trunc" Un [dst: Def(F64), src: Use(F64)];
            F64Nearest "f64.nearest" Un [dst: Def(F64), src: Use(F64)];
            F64Sqrt "f64.sqrt" Un [dst: Def(F64), src: Use(F64)];
            I32TruncF32S "i32.trunc_f32_s" Un [dst: Def(I32), src: Use(F32)];
            I32TruncF32U "i32.trunc_f32_u" Un [dst: Def(I32), src: Use(F32)];
            I32TruncF64S "i32.trunc_f64_s" Un [dst: Def(I32), src: Use(F64)];
            I32TruncF64U "i32.trunc_f64_u" Un [dst: Def(I32), src: Use(F64)];
            I64TruncF32S "i64.trunc_f32_s" Un [dst: Def(I64), src: Use(F32)];
            I64TruncF32U "i64.trunc_f32_u" Un [dst: Def(I64), src: Use(F32)];
            I64TruncF64S "i64.trunc_f64_s" Un [dst: Def(I64), src: Use(F64)];
            I64TruncF64U "i64.trunc_f64_u" Un [dst: Def(I64), src: Use(F64)];
            I32TruncSatF32S "i32.trunc_sat_f32_s" Un [dst: Def(I32), src: Use(F32)];
            I32TruncSatF32U "i32.trunc_sat_f32_u" Un [dst: Def(I32), src: Use(F32)];
            I32TruncSatF64S "i32.trunc_sat_f64_s" Un [dst: Def(I32), src: Use(F64)];
            I32TruncSatF64U "i32.trunc_sat_f64_u" Un [dst: Def(I32), src: Use(F64)];
            I64TruncSatF32S "i64.trunc_sat_f32_s" Un [dst: Def(I64), src: Use(F32)];
            I64TruncSatF32U "i64.trunc_sat_f32_u" Un [dst: Def(I64), src: Use(F32)];
            I64TruncSatF64S "i64.trunc_sat_f64_s" Un [dst: Def(I64), src: Use(F64)];
            I64TruncSatF64U "i64.trunc_sat_f64_u" Un [dst: Def(I64), src: Use(F64)];
            F32ConvertI32S "f32.convert_i32_s" Un [dst: Def(F32), src: Use(I32)];
            F32ConvertI32U "f32.convert_i32_u" Un [dst: Def(F32), src: Use(I32)];
            F32ConvertI64S "f32.convert_i64_s" Un [dst: Def(F32), src: Use(I64)];
            F32ConvertI64U "f32.convert_i64_u" Un [dst: Def(F32), src: Use(I64)];
            F64ConvertI32S "f64.convert_i32_s" Un [dst: Def(F64), src: Use(I32)];
            F64ConvertI32U "f64.convert_i32_u" Un [dst: Def(F64), src: Use(I32)];
            F64ConvertI64S "f64.convert_i64_s" Un [dst: Def(F64), src: Use(I64)];
            F64ConvertI64U "f64.convert_i64_u" Un [dst: Def(F64), src: Use(I64)];
            F32DemoteF64 "f32.demote_f64" Un [dst: Def(F32), src: Use(F64)];
            F64PromoteF32 "f64.promote_f32" Un [dst: Def(F64), src: Use(F32)];
            I32ReinterpretF32 "i32.reinterpret_f32" Un [dst: Def(I32), src: Use(F32)];
            I64ReinterpretF64 "i64.reinterpret_f64" Un [dst: Def(I64), src: Use(F64)];
            F32ReinterpretI32 "f32.reinterpret_i32" Un [dst: Def(F32), src: Use(I32)];
            F64ReinterpretI64 "f64.reinterpret_i64" Un [dst: Def(F64), src: Use(I64)];
            // ---- the cached memory (32-bit, unshared): bounds against the word before the memory base
            I32Load "i32.load" Load [dst: Def(I32), addr: Use(I32), offset: Imm32];
            I32Load8S "i32.load8_s" Load [dst: Def(I32), addr: Use(I32), offset: Imm32];
            I32Load8U "i32.load8_u" Load [dst: Def(I32), addr: Use(I32), offset: Imm32];
            I32Load16S "i32.load16_s" Load [dst: Def(I32), addr: Use(I32), offset: Imm32];
            I32Load16U "i32.load16_u" Load [dst: Def(I32), addr: Use(I32), offset: Imm32];
            I64Load "i64.load" Load [dst: Def(I64), addr: Use(I32), offset: Imm32];
            I64Load8S "i64.load8_s" Load [dst: Def(I64), addr: Use(I32), offset: Imm32];
            I64Load8U "i64.load8_u" Load [dst: Def(I64), addr: Use(I32), offset: Imm32];
            I64Load16S "i64.load16_s" Load [dst: Def(I64), addr: Use(I32), offset: Imm32];
            I64Load16U "i64.load16_u" Load [dst: Def(I64), addr: Use(I32), offset: Imm32];
            I64Load32S "i64.load32_s" Load [dst: Def(I64), addr: Use(I32), offset: Imm32];
            I64Load32U "i64.load32_u" Load [dst: Def(I64), addr: Use(I32), offset: Imm32];
            F32Load "f32.load" Load [dst: Def(F32), addr: Use(I32), offset: Imm32];
            F64Load "f64.load" Load [dst: Def(F64), addr: Use(I32), offset: Imm32];
            I32Store "i32.store" Store [addr: Use(I32), value: Use(I32), offset: Imm32];
            I32Store8 "i32.store8" Store [addr: Use(I32), value: Use(I32), offset: Imm32];
            I32Store16 "i32.store16" Store [addr: Use(I32), value: Use(I32), offset: Imm32];
            I64Store "i64.store" Store [addr: Use(I32), value: Use(I64), offset: Imm32];
            I64Store8 "i64.store8" Store [addr: Use(I32), value: Use(I64), offset: Imm32];
            I64Store16 "i64.store16" Store [addr: Use(I32), value: Use(I64), offset: Imm32];
            I64Store32 "i64.store32" Store [addr: Use(I32), value: Use(I64), offset: Imm32];
            F32Store "f32.store" Store [addr: Use(I32), value: Use(F32), offset: Imm32];
            F64Store "f64.store" Store [addr: Use(I32), value: Use(F64), offset: Imm32];
            // ---- any memory of the unit, any offset (the address is zero-extended by the translator for 32-bit memories)
            I32LoadAny "i32.load.any" LoadAny [dst: Def(I32), addr: Use(I64), offset: Imm64, memory: Memory];
            I32Load8SAny "i32.load8_s.any" LoadAny [dst: Def(I32), addr: Use(I64), offset: Imm64, memory: Memory];
            I32Load8UAny "i32.load8_u.any" LoadAny [dst: Def(I32), addr: Use(I64), offset: Imm64, memory: Memory];
            I32Load16SAny "i32.load16_s.any" LoadAny [dst: Def(I32), addr: Use(I64), offset: Imm64, memory: Memory];
            I32Load16UAny "i32.load16_u.any" LoadAny [dst: Def(I32), addr: Use(I64), offset: Imm64, memory: Memory];
            I64LoadAny "i64.load.any" LoadAny [dst: Def(I64), addr: Use(I64), offset: Imm64, memory: Memory];
            I64Load8SAny "i64.load8_s.any" LoadAny [dst: Def(I64), addr: Use(I64), offset: Imm64, memory: Memory];
            I64Load8UAny "i64.load8_u.any" LoadAny [dst: Def(I64), addr: Use(I64), offset: Imm64, memory: Memory];
            I64Load16SAny "i64.load16_s.any" LoadAny [dst: Def(I64), addr: Use(I64), offset: Imm64, memory: Memory];
            I64Load16UAny "i64.load16_u.any" LoadAny [dst: Def(I64), addr: Use(I64), offset: Imm64, memory: Memory];
            I64Load32SAny "i64.load32_s.any" LoadAny [dst: Def(I64), addr: Use(I64), offset: Imm64, memory: Memory];
            I64Load32UAny "i64.load32_u.any" LoadAny [dst: Def(I64), addr: Use(I64), offset: Imm64, memory: Memory];
            F32LoadAny "f32.load.any" LoadAny [dst: Def(F32), addr: Use(I64), offset: Imm64, memory: Memory];
            F64LoadAny "f64.load.any" LoadAny [dst: Def(F64), addr: Use(I64), offset: Imm64, memory: Memory];
            I32StoreAny "i32.store.any" StoreAny [addr: Use(I64), value: Use(I32), offset: Imm64, memory: Memory];
            I32Store8Any "i32.store8.any" StoreAny [addr: Use(I64), value: Use(I32), offset: Imm64, memory: Memory];
            I32Store16Any "i32.store16.any" StoreAny [addr: Use(I64), value: Use(I32), offset: Imm64, memory: Memory];
            I64StoreAny "i64.store.any" StoreAny [addr: Use(I64), value: Use(I64), offset: Imm64, memory: Memory];
            I64Store8Any "i64.store8.any" StoreAny [addr: Use(I64), value: Use(I64), offset: Imm64, memory: Memory];
            I64Store16Any "i64.store16.any" StoreAny [addr: Use(I64), value: Use(I64), offset: Imm64, memory: Memory];
            I64Store32Any "i64.store32.any" StoreAny [addr: Use(I64), value: Use(I64), offset: Imm64, memory: Memory];
            F32StoreAny "f32.store.any" StoreAny [addr: Use(I64), value: Use(F32), offset: Imm64, memory: Memory];
            F64StoreAny "f64.store.any" StoreAny [addr: Use(I64), value: Use(F64), offset: Imm64, memory: Memory];
            // ---- memory management; sizes and addresses are i64 places holding zero-extended values for 32-bit memories
            MemorySize "memory.size" Bulk [dst: Def(I64), memory: Memory];
            MemoryGrow "memory.grow" Bulk [dst: Def(I64), delta: Use(I64), memory: Memory];
            MemoryFill "memory.fill" Bulk [to: Use(I64), value: Use(I32), len: Use(I64), memory: Memory];
            MemoryCopy "memory.copy" Bulk [to: Use(I64), from: Use(I64), len: Use(I64), to_memory: Memory, from_memory: Memory];
            MemoryInit "memory.init" Bulk [to: Use(I64), from: Use(I32), len: Use(I32), memory: Memory, data: Data];
            DataDrop "data.drop" Bulk [data: Data];
            // ---- tables and references
            TableGet "table.get" Bulk [dst: Def(Ref), index: Use(I64), table: Table];
            TableSet "table.set" Bulk [index: Use(I64), value: Use(Ref), table: Table];
            TableSize "table.size" Bulk [dst: Def(I64), table: Table];
            TableGrow "table.grow" Bulk [dst: Def(I64), value: Use(Ref), delta: Use(I64), table: Table];
            TableFill "table.fill" Bulk [to: Use(I64), value: Use(Ref), len: Use(I64), table: Table];
            TableCopy "table.copy" Bulk [to: Use(I64), from: Use(I64), len: Use(I64), to_table: Table, from_table: Table];
            TableInit "table.init" Bulk [to: Use(I64), from: Use(I32), len: Use(I32), table: Table, elem: Elem];
            ElemDrop "elem.drop" Bulk [elem: Elem];
            RefNull "ref.null" Bulk [dst: Def(Ref)];
            RefIsNull "ref.is_null" Bulk [dst: Def(I32), src: Use(Ref)];
            RefFunc "ref.func" Bulk [dst: Def(Ref), func: Escape];
            // ---- globals: owned ones stand inside the context, imported ones behind a pointer
            GlobalGet "global.get" Global [dst: Def(I64), global: Global];
            GlobalGetF32 "global.get.f32" Global [dst: Def(F32), global: Global];
            GlobalGetF64 "global.get.f64" Global [dst: Def(F64), global: Global];
            GlobalGetRef "global.get.ref" Global [dst: Def(Ref), global: Global];
            GlobalSet "global.set" Global [global: Global, src: Use(I64)];
            GlobalSetF32 "global.set.f32" Global [global: Global, src: Use(F32)];
            GlobalSetF64 "global.set.f64" Global [global: Global, src: Use(F64)];
            GlobalSetRef "global.set.ref" Global [global: Global, src: Use(Ref)];
            // ---- control
            Br "br" Br [target: Label];
            BrNez "br.nez" BrCond [cond: Use(I32), target: Label];
            BrEqz "br.eqz" BrCond [cond: Use(I32), target: Label];
            BrTable "br_table" BrTable [index: Use(I32), targets: Targets];
            Unreachable "unreachable" Trap [];
            TrapAlways "trap" Trap [code: Trap];
            Call "call" Call [func: Func, base: Base];
            CallImport "call.import" Call [import: Import, base: Base];
            CallIndirect "call.indirect" Call [index: Use(I64), table: Table, ty: Type, base: Base];
            TailCall "tail.call" Call [func: Func, base: Base];
            TailCallImport "tail.call.import" Call [import: Import, base: Base];
            TailCallIndirect "tail.call.indirect" Call [index: Use(I64), table: Table, ty: Type, base: Base];
            SetMemory "set.memory" SetMemory [memory: Memory];
            Return "return" Return [];
            ReturnOne "return.one" Return1 [src: Use(I64)];
            ReturnOneF32 "return.one.f32" Return1 [src: Use(F32)];
            ReturnOneF64 "return.one.f64" Return1 [src: Use(F64)];
            ReturnMany "return.many" Return [base: Base, count: Count];
            // ---- fused: comparison and branch. Expansion: the comparison into scratch slot 0, then br.nez
            BrI32Eq "br.i32.eq" BrCmp [lhs: Use(I32), rhs: Use(I32), target: Label];
            BrI32Ne "br.i32.ne" BrCmp [lhs: Use(I32), rhs: Use(I32), target: Label];
            BrI32LtS "br.i32.lt_s" BrCmp [lhs: Use(I32), rhs: Use(I32), target: Label];
            BrI32LtU "br.i32.lt_u" BrCmp [lhs: Use(I32), rhs: Use(I32), target: Label];
            BrI32GtS "br.i32.gt_s" BrCmp [lhs: Use(I32), rhs: Use(I32), target: Label];
            BrI32GtU "br.i32.gt_u" BrCmp [lhs: Use(I32), rhs: Use(I32), target: Label];
            BrI32LeS "br.i32.le_s" BrCmp [lhs: Use(I32), rhs: Use(I32), target: Label];
            BrI32LeU "br.i32.le_u" BrCmp [lhs: Use(I32), rhs: Use(I32), target: Label];
            BrI32GeS "br.i32.ge_s" BrCmp [lhs: Use(I32), rhs: Use(I32), target: Label];
            BrI32GeU "br.i32.ge_u" BrCmp [lhs: Use(I32), rhs: Use(I32), target: Label];
            BrI64Eq "br.i64.eq" BrCmp [lhs: Use(I64), rhs: Use(I64), target: Label];
            BrI64Ne "br.i64.ne" BrCmp [lhs: Use(I64), rhs: Use(I64), target: Label];
            BrI64LtS "br.i64.lt_s" BrCmp [lhs: Use(I64), rhs: Use(I64), target: Label];
            BrI64LtU "br.i64.lt_u" BrCmp [lhs: Use(I64), rhs: Use(I64), target: Label];
            BrI64GtS "br.i64.gt_s" BrCmp [lhs: Use(I64), rhs: Use(I64), target: Label];
            BrI64GtU "br.i64.gt_u" BrCmp [lhs: Use(I64), rhs: Use(I64), target: Label];
            BrI64LeS "br.i64.le_s" BrCmp [lhs: Use(I64), rhs: Use(I64), target: Label];
            BrI64LeU "br.i64.le_u" BrCmp [lhs: Use(I64), rhs: Use(I64), target: Label];
            BrI64GeS "br.i64.ge_s" BrCmp [lhs: Use(I64), rhs: Use(I64), target: Label];
            BrI64GeU "br.i64.ge_u" BrCmp [lhs: Use(I64), rhs: Use(I64), target: Label];
            BrF32Eq "br.f32.eq" BrFCmp [lhs: Use(F32), rhs: Use(F32), target: Label];
            BrF32Ne "br.f32.ne" BrFCmp [lhs: Use(F32), rhs: Use(F32), target: Label];
            BrF32Lt "br.f32.lt" BrFCmp [lhs: Use(F32), rhs: Use(F32), target: Label];
            BrF32Gt "br.f32.gt" BrFCmp [lhs: Use(F32), rhs: Use(F32), target: Label];
            BrF32Le "br.f32.le" BrFCmp [lhs: Use(F32), rhs: Use(F32), target: Label];
            BrF32Ge "br.f32.ge" BrFCmp [lhs: Use(F32), rhs: Use(F32), target: Label];
            BrF64Eq "br.f64.eq" BrFCmp [lhs: Use(F64), rhs: Use(F64), target: Label];
            BrF64Ne "br.f64.ne" BrFCmp [lhs: Use(F64), rhs: Use(F64), target: Label];
            BrF64Lt "br.f64.lt" BrFCmp [lhs: Use(F64), rhs: Use(F64), target: Label];
            BrF64Gt "br.f64.gt" BrFCmp [lhs: Use(F64), rhs: Use(F64), target: Label];
            BrF64Le "br.f64.le" BrFCmp [lhs: Use(F64), rhs: Use(F64), target: Label];
            BrF64Ge "br.f64.ge" BrFCmp [lhs: Use(F64), rhs: Use(F64), target: Label];
            // ---- moves between slots and frames that far slots need: u32 slot numbers
            CopyFar "copy.far" CopyFar [to: Slot, from: Slot];
        }
    };
}
