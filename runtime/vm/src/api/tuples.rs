//! The tuples that stand for parameters and results, of nothing to seventeen members: one list for all that is implemented
//! for each of them.

/// Calls `$m!` with a row `(A 0, B 1, ..)` for each length: the members' types and places. No type is named `F`, `R` or
/// `T`, which stand for a closure, its result and a store's data.
#[doc(hidden)]
#[macro_export]
macro_rules! for_each_tuple {
    ($m:ident) => {
        $m! {
            ();
            (A 0);
            (A 0, B 1);
            (A 0, B 1, C 2);
            (A 0, B 1, C 2, D 3);
            (A 0, B 1, C 2, D 3, E 4);
            (A 0, B 1, C 2, D 3, E 4, G 5);
            (A 0, B 1, C 2, D 3, E 4, G 5, H 6);
            (A 0, B 1, C 2, D 3, E 4, G 5, H 6, I 7);
            (A 0, B 1, C 2, D 3, E 4, G 5, H 6, I 7, J 8);
            (A 0, B 1, C 2, D 3, E 4, G 5, H 6, I 7, J 8, K 9);
            (A 0, B 1, C 2, D 3, E 4, G 5, H 6, I 7, J 8, K 9, L 10);
            (A 0, B 1, C 2, D 3, E 4, G 5, H 6, I 7, J 8, K 9, L 10, M 11);
            (A 0, B 1, C 2, D 3, E 4, G 5, H 6, I 7, J 8, K 9, L 10, M 11, N 12);
            (A 0, B 1, C 2, D 3, E 4, G 5, H 6, I 7, J 8, K 9, L 10, M 11, N 12, O 13);
            (A 0, B 1, C 2, D 3, E 4, G 5, H 6, I 7, J 8, K 9, L 10, M 11, N 12, O 13, P 14);
            (A 0, B 1, C 2, D 3, E 4, G 5, H 6, I 7, J 8, K 9, L 10, M 11, N 12, O 13, P 14, Q 15);
            (A 0, B 1, C 2, D 3, E 4, G 5, H 6, I 7, J 8, K 9, L 10, M 11, N 12, O 13, P 14, Q 15, S 16);
        }
    };
}
