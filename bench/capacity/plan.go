package capacity

// Plan divides the customers that a machine holds among those who look after them.
type Plan struct {
	Customers int `json:"customers"` // the verdict's
	// RequestsPerSecond is what the machine answered with all its users asking at once, at
	// the largest size; half of it is taken, so that there is room for peaks.
	RequestsPerSecond float64 `json:"requests_per_second"`
	// UserEvery is how many seconds a person at work lets pass between two requests.
	UserEvery float64 `json:"user_every_seconds"`
	Users     int     `json:"users"` // who can work at the same time
	Quotas    []Quota `json:"quotas"`
}

// Quota is one way to divide the customers.
type Quota struct {
	PerRep  int `json:"customers_per_rep"`
	Reps    int `json:"reps"`
	PerUnit int `json:"customers_per_unit"` // with RepsPerUnit representatives
	Units   int `json:"units"`
	// Short says that there would be more representatives than can work at the same time.
	Short bool `json:"short_of_throughput,omitempty"`
}

// How people work: a request every so many seconds, so many representatives a unit.
const (
	userEvery   = 10.0
	RepsPerUnit = 8
)

// plan divides the verdict's customers by usual quotas.
func (r *Report) plan() *Plan {
	p := &Plan{Customers: r.Verdict.Customers, UserEvery: userEvery}
	for i := len(r.Steps) - 1; i >= 0 && p.RequestsPerSecond == 0; i-- {
		if result, ok := r.Steps[i].Result("throughput"); ok {
			p.RequestsPerSecond = result.Value
		}
	}
	p.Users = significant(p.RequestsPerSecond / 2 * userEvery)
	for _, perRep := range []int{50, 100, 200, 500, 1000, 2000} {
		q := Quota{PerRep: perRep, Reps: p.Customers / perRep, PerUnit: perRep * RepsPerUnit, Units: p.Customers / (perRep * RepsPerUnit)}
		q.Short = q.Reps > p.Users
		p.Quotas = append(p.Quotas, q)
	}
	return p
}
