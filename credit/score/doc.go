// Package score rates customers from their own payment history, blends in scores of
// credit bureaus, and derives a grade, a proposed limit and the date of the next review.
//
// A [Model] says which [Factor] gives how many points for which figures, and every
// [Result] lists what each factor contributed, so that a person can follow it. Own history
// and an imported score are weighed by how much history there is: with n settled items,
// own history weighs n ÷ (n + k), the credibility factor of Bühlmann (1967). A new
// customer is judged by the bureau, an old one by how it pays.
//
// [ReadExternal] reads scores of bureaus from CSV and names every row that is wrong;
// [Model.Review] lists who is due for review. Figures are hundredths, as in package
// measure; scores go from 0 (worst) to [Best].
package score
