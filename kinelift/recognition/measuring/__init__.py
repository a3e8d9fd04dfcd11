"""Cross-subject evaluation of classifiers, with reports and figures."""
