// Package stocktaketest makes results of stocktakes, for tests and trials of reports.
package stocktaketest
