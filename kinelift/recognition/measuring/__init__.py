"""Cross-subject evaluation of classifiers, and its reports and figures."""
